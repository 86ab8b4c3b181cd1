"""Which folder, folds and checkpoint a model is opened with."""

import shutil
import zipfile
from pathlib import Path

import pytest
import torch

from nnunetv2_adamss.prediction.model_files import choose_checkpoints, opened_model

NAME = "AdaMSSSurvTrainer__nnUNetPlans__3d_fullres"


def write_model(folder: Path, *folds: str, survival: bool = True) -> Path:
    start = {"survival": {"split": {"training": [], "validation": []}, "sources": {}, "config": {}}}
    for fold in folds:
        (folder / f"fold_{fold}").mkdir(parents=True)
        torch.save({"init_args": start if survival else {}}, folder / f"fold_{fold}" / "checkpoint_best.pth")
    return folder


def zipped(results: Path) -> Path:
    file = results.with_suffix(".zip")
    with zipfile.ZipFile(file, "w") as archive:
        for path in results.rglob("*.pth"):
            archive.write(path, path.relative_to(results))
    return file


def test_a_zip_is_opened_at_its_survival_model_and_leaves_nothing_behind(tmp_path: Path) -> None:
    write_model(tmp_path / "results" / "Dataset001_X" / "AdaMSSSegTrainer__P__C", "0", survival=False)
    write_model(tmp_path / "results" / "Dataset001_X" / NAME, "0")
    with opened_model(zipped(tmp_path / "results")) as folder:
        assert folder.name == NAME
        assert (folder / "fold_0" / "checkpoint_best.pth").is_file()
    assert not folder.exists()


def test_a_zip_without_a_survival_model_is_refused(tmp_path: Path) -> None:
    write_model(tmp_path / "results" / "Dataset001_X" / "AdaMSSSegTrainer__P__C", "0", survival=False)
    with (
        pytest.raises(ValueError, match="results.zip holds 0 survival models, expected one"),
        opened_model(zipped(tmp_path / "results")),
    ):
        pass


@pytest.mark.parametrize("name", ["nothing", "text.zip"])
def test_a_folder_that_is_not_a_model_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "text.zip").write_text("text")
    with (
        pytest.raises(ValueError, match=f"There is no model .*{name}: expected nnU-Net's folder"),
        opened_model(tmp_path / name),
    ):
        pass


def test_all_numbered_folds_that_are_trained_are_chosen_or_else_the_fold_of_all_cases(tmp_path: Path) -> None:
    numbered = write_model(tmp_path / "numbered", "10", "2", "0", "all")
    (numbered / "fold_3").mkdir()  # just begun
    shutil.copytree(numbered / "fold_2", numbered / "fold_4")
    (numbered / "fold_4" / "checkpoint_latest.pth").touch()  # still in training
    assert choose_checkpoints(numbered, None, None) == ([0, 2, 10], "checkpoint_best.pth")
    only_all = write_model(tmp_path / "only_all", "all")
    assert choose_checkpoints(only_all, None, None) == (["all"], "checkpoint_final.pth")


def test_what_the_user_chooses_is_taken(tmp_path: Path) -> None:
    assert choose_checkpoints(tmp_path, [1], "checkpoint_final.pth") == ([1], "checkpoint_final.pth")
    assert choose_checkpoints(tmp_path, ["all"], None) == (["all"], "checkpoint_final.pth")
