"""Which mask each case gets: the reference, a folder's, or that of a network, out of fold if it is asked for."""

import json
from pathlib import Path

import pytest

from nnunetv2_adamss.common.files import sha256_of
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.tumour_region.mask_source import (
    GivenMasks,
    PredictedMasks,
    choose_masks,
    mask_provenance,
)
from nnunetv2_adamss.survival.tumour_region.stage_one_model import StageOneModel
from tests.nnunet_project import NnunetProject

PLANS = {"dataset_name": "Dataset007_Some", "plans_name": "nnUNetPlans"}
FOLD_0 = StageOneModel("AdaMSSSegTrainer", PLANS, "3d_fullres", 0, "checkpoint_best.pth")
SPLITS = [{"train": ["a", "b"], "val": ["c"]}, {"train": ["c"], "val": ["a", "b"]}]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of preprocessed data with the splits of two folds."""
    project = NnunetProject(tmp_path)
    project.use(monkeypatch)
    folder = project.preprocessed / "Dataset007_Some"
    folder.mkdir(parents=True)
    (folder / "splits_final.json").write_text(json.dumps(SPLITS))
    return folder


def chosen(folder: Path, cases: str, **settings: object) -> GivenMasks | PredictedMasks:
    return choose_masks(SurvivalConfig.from_dict(settings), FOLD_0, list(cases), ".nii.gz", folder)


def fold_of(masks: GivenMasks | PredictedMasks, case_id: str) -> str:
    return masks.mask_file(case_id).parent.parent.name


def test_a_case_gets_the_mask_of_this_fold_or_of_the_one_that_validates_it(folder: Path) -> None:
    predicted, out_of_fold = (chosen(folder, "abc", mask_source=s) for s in ("predicted", "out_of_fold"))
    assert [fold_of(predicted, case_id) for case_id in "abc"] == ["fold_0"] * 3
    assert [fold_of(out_of_fold, case_id) for case_id in "abc"] == ["fold_1", "fold_1", "fold_0"]


def test_a_case_that_no_fold_validates_has_no_mask_out_of_fold(folder: Path) -> None:
    with pytest.raises(ValueError, match="1 are in none: d. Use --mask_source predicted"):
        chosen(folder, "abd", mask_source="out_of_fold")
    (folder / "splits_final.json").unlink()
    with pytest.raises(ValueError, match="2 are in none: a, b"):
        chosen(folder, "ab", mask_source="out_of_fold")


def test_masks_that_are_there_already_come_from_their_folder_and_those_that_are_not_are_named(
    folder: Path, tmp_path: Path
) -> None:
    given = chosen(folder, "ab", mask_source="folder", masks_dir=str(tmp_path / "drawn"))
    assert given.mask_file("a") == tmp_path / "drawn" / "a.nii.gz"
    masks = chosen(folder, "ab", mask_source="groundtruth")
    assert masks.mask_file("a") == folder / "gt_segmentations" / "a.nii.gz"
    masks.mask_file("a").parent.mkdir()
    masks.mask_file("a").write_text("")
    masks.check(["a"])
    with pytest.raises(ValueError, match="1 of 2 cases have no mask in .*: b. Each"):
        masks.check(["a", "b"])
    with pytest.raises(ValueError, match="the tumour's place is unknown"):
        masks.likeliest_point("a")


def test_predicted_masks_need_the_checkpoint_of_every_fold_and_only_what_is_not_there_is_missing(
    folder: Path,
) -> None:
    masks = chosen(folder, "abc", mask_source="out_of_fold")
    assert isinstance(masks, PredictedMasks)
    models = {fold.model.fold: fold.model for fold in masks.folds}
    assert set(models) == {0, 1}
    models[1].fold_folder.mkdir(parents=True)
    models[1].checkpoint.write_text("one")
    with pytest.raises(ValueError, match="no Stage-I checkpoint .*fold_0"):
        masks.check(["a"])
    models[0].fold_folder.mkdir(parents=True)
    models[0].checkpoint.write_text("nought")
    masks.check(["a"])
    assert masks.missing(["a", "b", "c"]) == ["a", "b", "c"]
    masks.mask_file("b").parent.mkdir()
    masks.mask_file("b").write_text("")
    assert masks.missing(["a", "b", "c"]) == ["a", "c"]
    config = SurvivalConfig.from_dict({"mask_source": "out_of_fold", "mirroring": False})
    assert mask_provenance(config, masks) == {
        "source": "out_of_fold",
        "folder": None,
        "mirroring": False,
        "checkpoints_sha256": {
            f"Stage-I masks (fold {fold})": sha256_of(model.checkpoint) for fold, model in models.items()
        },
    }
    # Mirroring has no part in masks that are there already.
    given = SurvivalConfig.from_dict({"mask_source": "groundtruth"})
    assert mask_provenance(given, GivenMasks(folder, ".nii.gz"))["mirroring"] is None
