"""A trained fold explained: what is written, that it is true, that nothing is made twice, and refusals."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import torch

from nnunetv2_adamss.cli.explain import main
from nnunetv2_adamss.explanation.explained_model import ExplainedModel, open_trained_fold
from tests.explanation.conftest import own_results
from tests.nnunet_project import NnunetProject
from tests.survival_project import DATASET, N_CASES
from tests.trained_model import TrainedModel

pytestmark = [
    # nnU-Net's search for the Stage-I trainer imports all of its trainers.
    pytest.mark.filterwarnings("ignore::FutureWarning:torch"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
]
TRAINER = "AdaMSSSurvTrainer_TwoIterations_WithRadiomics"
LAST = ("-chk", "checkpoint_final.pth")
FEW_BLOCKS = ("--occlusion_mm", "80")


def explain(*options: str, fold: str = "0") -> int:
    return main(["902", "3d_fullres", fold, "-tr", TRAINER, "-device", "cpu", *options])


def contents(folder: Path) -> dict[str, tuple[int, int]]:
    """When every file was written, and its length."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return {str(f.relative_to(folder)): (f.stat().st_mtime_ns, f.stat().st_size) for f in files}


@dataclass(frozen=True)
class Explained:
    """One call of the command with the networks as they are: maps of one case, all of whose PET is one block."""

    fold: ExplainedModel
    folder: Path
    mapped_case: str
    printed: list[str]


@pytest.fixture(scope="module")
def explained(trained_model: TrainedModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Explained]:
    with own_results(trained_model, tmp_path_factory.mktemp("explained") / "results") as fold_folder:
        case_id = trained_model.validation_cases(0)[1]
        with redirect_stdout(StringIO()) as out:
            maps = ("--cases", case_id, "--all_levels", "--occlusion_mm", "1000", "--occlude_channel", "PET")
            assert explain(*LAST, *maps) == 0
        fold = open_trained_fold(
            "902", "3d_fullres", 0, trainer=TRAINER, plans="nnUNetPlans", checkpoint=LAST[1], device="cpu"
        )
        yield Explained(fold, fold_folder / "explanation", case_id, out.getvalue().splitlines())


def test_a_fold_leaves_tables_maps_and_pictures(explained: Explained) -> None:
    case_id = explained.mapped_case
    maps = [
        f"attention/{case_id}_{stage}{level}.nii.gz"
        for stage in ("stage_one", "stage_two")
        for level in ("", "_level_2", "_level_3")
    ]
    assert set(contents(explained.folder)) == {
        *("gate_weights.csv", "gate_weights_by_case.csv", "modality_occlusion.csv", "provenance.json"),
        *(f"attention/{case_id}.png", *maps),
        *(f"occlusion_PET/{case_id}.nii.gz", f"occlusion_PET/{case_id}.png"),
    }
    provenance = json.loads((explained.folder / "provenance.json").read_text())
    assert provenance["occlusion_maps"] == {"occlusion_PET": {"block_mm": 1000.0, "step_mm": 1000.0}}


def test_table_four_distinguishes_the_stages(trained_model: TrainedModel, explained: Explained) -> None:
    by_case = pd.read_csv(explained.folder / "gate_weights_by_case.csv")
    assert by_case["case_id"].unique().tolist() == trained_model.validation_cases(0)
    # Stage I has initial weights, whose gates are exactly a half; few steps of Stage II moved them a little.
    assert (by_case["stage_one"] == 0.5).all()
    moved = (by_case["stage_two"] - 0.5).abs()
    assert 0 < moved.max() < 0.02
    table = pd.read_csv(explained.folder / "gate_weights.csv")
    assert table["n_cases"].tolist() == [4] * 4
    expected = by_case.groupby("encoder_stage")["stage_two"].mean()
    assert table["stage_two"].tolist() == pytest.approx(expected.tolist())
    assert explained.printed[0] == "Mean weight of the fusion branch (Table IV), 4 validation cases:"
    assert explained.printed[2].split() == ["1", "0.500", f"{table['stage_two'][0]:.3f}"]
    assert "Maps are of 1 of the 4 cases" in explained.printed[-2]


def test_the_risk_is_that_of_the_validation(trained_model: TrainedModel, explained: Explained) -> None:
    found = pd.read_csv(explained.folder / "modality_occlusion.csv", index_col="case_id")
    expected = trained_model.validation_predictions(0, "last")
    assert list(found) == ["risk_score", "change_by_CT", "change_by_PET"]
    np.testing.assert_allclose(found["risk_score"], expected["risk_score"][found.index], rtol=1e-5)
    assert (found[["change_by_CT", "change_by_PET"]] != 0).all(axis=None)


def test_an_occlusion_map_says_by_how_much_a_block_raises_the_risk(
    survival_project: NnunetProject, explained: Explained
) -> None:
    file = explained.folder / "occlusion_PET" / f"{explained.mapped_case}.nii.gz"
    (case,) = explained.fold.read([explained.mapped_case])
    # One block is all of the region: there PET is blank, and the map has the same value throughout.
    blank = case.image.clone()
    blank[(0, 1, *(slice(side) for side in case.space.region.size))] = 0
    risk_of = explained.fold.risk_of(case)
    change = nib.load(file).get_fdata()
    inside = change[change != 0]
    np.testing.assert_allclose(inside, (risk_of(case.image) - risk_of(blank))[0], rtol=1e-3)
    assert inside.size == np.prod(case.space.region.size)
    raw = nib.load(survival_project.raw / DATASET / "imagesTr" / f"{case.case_id}_0001.nii.gz")
    np.testing.assert_allclose(nib.load(file).affine, raw.affine, atol=1e-5)


def test_attention_maps_hold_what_the_gates_gave(explained: Explained) -> None:
    (case,) = explained.fold.read([explained.mapped_case])
    for stage, seen in explained.fold.look(case).items():
        found = nib.load(explained.folder / "attention" / f"{case.case_id}_{stage}.nii.gz").get_fdata()
        # These images are on the preprocessed grid already: only axes and place differ.
        start, size = case.space.region.start, case.space.region.size
        box = found.transpose(2, 1, 0)[tuple(slice(a, a + n) for a, n in zip(start, size, strict=True))]
        expected = seen.attention[0][0, 0][tuple(slice(n) for n in size)]
        np.testing.assert_allclose(box, expected, atol=1e-5)
        assert np.count_nonzero(found) == box.size


def test_what_the_network_sees_comes_back_to_the_raw_image_and_the_mask_with_it(
    survival_project: NnunetProject, explained: Explained, tmp_path: Path
) -> None:
    (case,) = explained.fold.read([explained.mapped_case])
    case.write(case.in_box(case.image[0, 1].numpy()), tmp_path / "pet.nii.gz")
    found = nib.load(tmp_path / "pet.nii.gz").get_fdata()
    raw = survival_project.raw / DATASET / "imagesTr" / f"{case.case_id}_0001.nii.gz"
    seen = found != 0
    # Normalised PET is (SUV - mean) / standard deviation.
    assert np.corrcoef(found[seen], nib.load(raw).get_fdata()[seen])[0, 1] > 0.9999
    mask = nib.load(explained.fold.setup.masks.mask_file(case.case_id)).get_fdata()
    tumour = explained.fold.tumour_view(case)
    assert tumour.shape == case.geometry.turned(case.in_box(case.image[0, 0].numpy())).shape
    assert tumour.sum() == (mask[seen] > 0).sum()


# ------------------------------------------------------------------------------ resuming and replacing


@pytest.mark.usefixtures("quick_networks")
def test_what_is_there_is_not_made_again(fold_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any) -> None:
        raise AssertionError("a case was read")

    assert explain(*LAST, *FEW_BLOCKS, "--max_cases", "1") == 0
    maps = fold_folder / "explanation" / "attention"
    before = contents(maps)
    with monkeypatch.context() as patch:
        patch.setattr(ExplainedModel, "read", refuse)
        assert explain(*LAST, *FEW_BLOCKS, "--max_cases", "1") == 0
    # More is added to what is there.
    assert explain(*LAST, *FEW_BLOCKS, "--max_cases", "2") == 0
    after = contents(maps)
    assert {file: after[file] for file in before} == before
    assert len(after) == 2 * len(before)


@pytest.mark.usefixtures("quick_networks")
def test_another_folder_leaves_the_folds_own_explanations_alone(fold_folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "elsewhere"
    assert explain(*LAST, "--no_occlusion", "--max_cases", "0", "-o", str(output), "--overwrite") == 0
    assert (output / "gate_weights.csv").is_file()
    assert not (fold_folder / "explanation").exists()


@pytest.mark.usefixtures("quick_networks")
def test_a_run_that_was_stopped_continues_with_the_next_case(
    fold_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = fold_folder / "explanation"
    look = ExplainedModel.look

    def stop_at_the_third(fold: ExplainedModel, case: Any) -> Any:
        if case.case_id == fold.case_ids[2]:
            raise KeyboardInterrupt
        return look(fold, case)

    with monkeypatch.context() as patch:
        patch.setattr(ExplainedModel, "look", stop_at_the_third)
        assert explain(*LAST, "--no_occlusion") == 130
    assert "run it again to continue" in capsys.readouterr().err
    assert len(pd.read_csv(folder / "modality_occlusion.csv")) == 2
    assert not (folder / "gate_weights.csv").exists()
    before = contents(folder / "attention")
    assert explain(*LAST, "--no_occlusion") == 0
    after = contents(folder / "attention")
    assert {file: after[file] for file in before} == before
    assert len(after) == 2 * len(before)
    assert len(pd.read_csv(folder / "modality_occlusion.csv")) == 4
    assert not (folder / "occlusion").exists()


@pytest.mark.usefixtures("quick_networks")
def test_other_checkpoints_and_settings_replace_what_is_there_only_on_demand(
    fold_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = (*FEW_BLOCKS, "--max_cases", "1")
    assert explain(*LAST, *options) == 0
    folder = fold_folder / "explanation"
    before = contents(folder)
    assert explain("-chk", "checkpoint_best.pth", *options) == 2
    error = capsys.readouterr().err
    assert "(different: checkpoint" in error and "--overwrite" in error and error.count("\n") == 1
    assert explain(*LAST, "--occlusion_mm", "40", "--max_cases", "1") == 2
    assert "(different: settings of occlusion/)" in capsys.readouterr().err
    assert contents(folder) == before
    (folder / "provenance.json").write_text("{")
    assert explain(*LAST, *options) == 2
    assert "cannot be read" in capsys.readouterr().err
    assert explain("-chk", "checkpoint_best.pth", *options, "--overwrite") == 0
    assert json.loads((folder / "provenance.json").read_text())["checkpoint"] == "checkpoint_best.pth"


@pytest.mark.usefixtures("quick_networks")
def test_of_fold_all_the_training_cases_are_explained_and_that_is_said(
    fold_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_as_fold_all(fold_folder)
    assert explain("--max_cases", "0", fold="all") == 0
    out = capsys.readouterr().out
    assert f"{N_CASES} training cases:" in out
    assert "The network was trained on these cases" in out
    provenance = json.loads((fold_folder.with_name("fold_all") / "explanation/provenance.json").read_text())
    assert provenance["checkpoint"] == "checkpoint_final.pth"
    assert provenance["notes"]["cases"] == "training cases, which the network knows"


def write_as_fold_all(fold_folder: Path) -> None:
    """Fold 0 of both stages once more, as if it had been trained on all cases."""
    (stage_one,) = fold_folder.parents[1].glob("AdaMSSSegTrainer__*/fold_0")
    for folder in (stage_one, fold_folder):
        shutil.copytree(folder, folder.with_name("fold_all"))
    file = fold_folder.with_name("fold_all") / "checkpoint_final.pth"
    checkpoint = torch.load(file, weights_only=True)
    survival = checkpoint["init_args"]["survival"]
    cases = sorted([*survival["training_cases"], *survival["validation_cases"]])
    survival |= {"training_cases": cases, "scoring_cases": [], "validation_cases": []}
    survival["split"] = {"training": cases, "validation": cases}
    survival["sources"]["Stage-I masks (fold all)"] = survival["sources"]["Stage-I masks (fold 0)"]
    torch.save(checkpoint, file)


# ------------------------------------------------------------------------------------------- bad input


def damage_stage_two(fold_folder: Path) -> None:
    file = fold_folder / "checkpoint_final.pth"
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(content[:1000])


def change_stage_one(fold_folder: Path) -> None:
    (file,) = fold_folder.parents[1].glob("AdaMSSSegTrainer__*/fold_0/checkpoint_best.pth")
    checkpoint = torch.load(file, weights_only=True)
    checkpoint["network_weights"]["decoder.seg_layers.bias"] += 1
    file.unlink()
    torch.save(checkpoint, file)


def start_from_another_network(fold_folder: Path) -> None:
    file = fold_folder / "checkpoint_final.pth"
    checkpoint = torch.load(file, weights_only=True)
    checkpoint["init_args"]["survival"]["sources"]["Stage-I weights"] = "of a network that was trained again"
    file.unlink()
    torch.save(checkpoint, file)


def remove_stage_one(fold_folder: Path) -> None:
    for file in fold_folder.parents[1].glob("AdaMSSSegTrainer__*/fold_0/checkpoint_*"):
        file.unlink()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (damage_stage_two, "checkpoint_final.pth is not a checkpoint .* or it is damaged"),
        (change_stage_one, "has changed since: .*Stage-I"),
        (start_from_another_network, "is not the one that .*checkpoint_final.pth started from"),
        (remove_stage_one, "There is no Stage-I checkpoint"),
    ],
)
def test_checkpoints_that_do_not_serve_are_one_sentence(
    fold_folder: Path,
    spoil: Callable[[Path], None],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spoil(fold_folder)
    assert explain(*LAST) == 2
    error = capsys.readouterr().err
    assert re.search(message, error) and error.count("\n") == 1
    assert not (fold_folder / "explanation").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--cases", "unknown", "phantom000x"), "2 of the cases after --cases are not among the 4"),
        (("--occlude_channel", "MR"), "no channel 'MR' (--occlude_channel), only CT, PET"),
        (("--occlusion_mm", "0", "--max_cases", "-1"), "must be at least 0; --occlusion_mm is 0"),
        (("--occlusion_step_mm", "21"), "--occlusion_step_mm is 21"),
        (("-chk", "checkpoint_foo.pth"), "choose with -chk"),
        (("-tr", "AdaMSSSurvTrainer"), "There is no trained survival network"),
    ],
)
def test_a_users_error_is_one_sentence_and_nothing_is_written(
    fold_folder: Path, options: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explain(*LAST, *options) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert not (fold_folder / "explanation").exists()


def test_without_a_gpu_it_says_what_to_do(fold_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    assert main(["902", "3d_fullres", "0", "-tr", TRAINER]) == 2
    assert "add -device cpu" in capsys.readouterr().err
