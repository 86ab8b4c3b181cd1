"""``adamss_finetune_survival`` as a user types it: results, continuing, refusing, overwriting."""

import json
import os
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
import torch

from nnunetv2_adamss.cli.finetune_survival import main
from nnunetv2_adamss.plugin_folder import PLUGIN_FOLDER
from nnunetv2_adamss.radiomics import missing
from nnunetv2_adamss.radiomics.fold_radiomics import FoldRadiomics
from nnunetv2_adamss.survival.covariates import fitting
from nnunetv2_adamss.survival.covariates.feature_selection import FeatureSelection
from nnunetv2_adamss.trainers import AdaMSSSegTrainer_LateFusion
from tests.nnunet_project import NnunetProject
from tests.radiomics.phantoms import quick_request
from tests.survival_project import DATASET, write_stage_one

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning:torch"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
]

TRAINER = "AdaMSSSurvTrainer_TwoIterations"
FOLD_0 = ("902", "3d_fullres", "0", "-tr", TRAINER, "-device", "cpu")


@pytest.fixture
def fold_folder(survival_project: NnunetProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the fold's results will lie, with a Stage-I network beside."""
    survival_project.use(monkeypatch)
    monkeypatch.setenv("nnUNet_results", str(tmp_path))
    monkeypatch.setenv("nnUNet_n_proc_DA", "0")
    own_trainers = Path(__file__).parents[1] / "trainers" / "short_trainers"
    monkeypatch.setenv("nnUNet_extTrainer", os.pathsep.join([str(PLUGIN_FOLDER), str(own_trainers)]))
    write_stage_one(survival_project)
    return tmp_path / DATASET / f"{TRAINER}__nnUNetPlans__3d_fullres" / "fold_0"


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What the command says when it refuses, in one line."""
    capsys.readouterr()
    assert main(list(arguments)) == 2
    said = capsys.readouterr().err.strip()
    assert said.startswith("adamss_finetune_survival: ")
    return said


def test_a_fold_is_trained_and_then_only_trained_again_when_asked_to(
    fold_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = ("--mask_source", "groundtruth", "--n_intervals", "4")
    assert main([*FOLD_0, *settings]) == 0
    assert f"Done: {fold_folder}" in capsys.readouterr().out
    predictions = fold_folder / "validation" / "survival_predictions.csv"
    assert len(predictions.read_text().splitlines()) == 1 + 4
    assert json.loads((fold_folder / "survival_config.json").read_text())["n_intervals"] == 4

    finished = (fold_folder / "checkpoint_final.pth").read_bytes()
    assert "holds a finished training" in refusal(capsys, *FOLD_0, *settings)
    assert (fold_folder / "checkpoint_final.pth").read_bytes() == finished

    conflict = refusal(capsys, *FOLD_0, "--val", "--n_intervals", "5")
    assert "--n_intervals was 4, and now is 5" in conflict
    predictions.unlink()
    assert main([*FOLD_0, "--val"]) == 0
    assert predictions.is_file()

    assert main([*FOLD_0, "--overwrite", "--mask_source", "groundtruth", "--epochs", "1"]) == 0
    checkpoint = torch.load(fold_folder / "checkpoint_final.pth", weights_only=True)
    assert checkpoint["current_epoch"] == 1
    assert len(checkpoint["init_args"]["survival"]["interval_edges"]) == 1 + 10


def test_features_of_several_files_are_used_and_a_variant_has_results_of_its_own(
    fold_folder: Path, survival_project: NnunetProject, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = [
        row.split(",")[0] for row in (survival_project.raw / DATASET / "survival.csv").read_text().split()[1:]
    ]
    files = []
    for name in ("mri", "genes"):
        files.append(tmp_path / f"{name}.csv")
        rows = [f"case_id,{name}", *(f"{case_id},{i}" for i, case_id in enumerate(cases))]
        files[-1].write_text("\n".join(rows))
    options = ("--features", str(files[0]), "--features", str(files[1]), "--feature_selection", "none")
    settings = ("--mask_source", "groundtruth", "--epochs", "1", *options)
    assert main([*FOLD_0, *settings, "--no_radiomics"]) == 0
    folder = fold_folder.parents[1] / f"{TRAINER}_NoRadiomics__nnUNetPlans__3d_fullres" / "fold_0"
    assert f"Done: {folder}" in capsys.readouterr().out
    summary = json.loads((folder / "survival_summary.json").read_text())
    assert summary["covariates"]["inputs"][-2:] == ["mri", "genes"]
    assert not fold_folder.exists()

    # The files may move, but what is in them may not change.
    moved = tmp_path / "moved" / "mri.csv"
    moved.parent.mkdir()
    files[0].rename(moved)
    again = (*FOLD_0, "--no_radiomics", "--val", "--features", str(moved), "--features", str(files[1]))
    assert main(list(again)) == 0
    moved.write_text(moved.read_text().replace(f"{cases[0]},0", f"{cases[0]},7"))
    assert "has changed since: features 1 (mri.csv)" in refusal(capsys, *again)

    files[1].write_text("case_id,genes\n" + "\n".join(f"{case_id},high" for case_id in cases))
    said = refusal(capsys, *FOLD_0, *settings[:4], "--features", str(files[1]))
    assert "genes.csv: column 'genes' must hold numbers: row 2 'high'" in said
    assert "no trainer AdaMSSSurvTrainer_TwoIterations_ImageOnly" in refusal(
        capsys, *FOLD_0, "--no_clinical", "--no_radiomics"
    )


def test_features_are_selected_once_and_what_was_noted_is_in_the_log(
    fold_folder: Path, survival_project: NnunetProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds = []

    def select(inputs: pd.DataFrame, *outcomes: object, limit: int, seed: int) -> FeatureSelection:
        seeds.append(seed)
        return FeatureSelection(("mri",), (0.5,), (1.0,), n_candidates=1, n_uncorrelated=1, limit=limit)

    monkeypatch.setattr(fitting, "select_features", select)
    cases = pd.read_csv(survival_project.raw / DATASET / "survival.csv")["case_id"]
    features = pd.DataFrame({"case_id": cases, "mri": range(len(cases)), "useless": 1})
    features.to_csv(tmp_path / "mri.csv", index=False)
    options = ("--features", str(tmp_path / "mri.csv"), "--max_features", "20", "--seed", "5")
    assert main([*FOLD_0, "--mask_source", "groundtruth", "--epochs", "1", *options]) == 0
    assert seeds == [5]
    summary = json.loads((fold_folder / "survival_summary.json").read_text())
    assert summary["covariates"]["inputs"][-1] == "mri"
    assert summary["covariates"]["feature_selection"]["selected"][0]["weight"] == 0.5
    (log,) = fold_folder.glob("training_log_*.txt")
    note = "Features with one value or none in the training cases are left out: useless."
    assert note in summary["covariates"]["notes"]
    assert log.read_text().count(f"WARNING: {note}") == 1

    assert main([*FOLD_0, "--val"]) == 0
    assert seeds == [5]


@pytest.mark.slow
def test_radiomics_that_are_missing_are_extracted_once(
    fold_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    few_features = partial(FoldRadiomics, settings=quick_request().settings)
    monkeypatch.setattr(missing, "FoldRadiomics", few_features)
    trainer = f"{TRAINER}_WithRadiomics"
    start = [*FOLD_0, "-tr", trainer, "--mask_source", "groundtruth", "--epochs", "1"]
    assert main([*start, "--max_features", "2"]) == 0
    stage_one = fold_folder.parents[1] / "AdaMSSSegTrainer__nnUNetPlans__3d_fullres" / "fold_0"
    table = stage_one / "radiomics_groundtruth.csv"
    assert len(table.read_text().splitlines()) == 1 + 12
    folder = fold_folder.parents[1] / f"{trainer}__nnUNetPlans__3d_fullres" / "fold_0"
    summary = json.loads((folder / "survival_summary.json").read_text())
    assert "radiomics (radiomics_groundtruth.csv)" in summary["sources_sha256"]
    assert summary["covariates"]["feature_selection"]["n_candidates"] > 1

    written = table.stat().st_mtime_ns
    assert main([*start, "--overwrite"]) == 0
    assert table.stat().st_mtime_ns == written

    table.write_text(table.read_text() + " ")
    said = refusal(capsys, *start, "--overwrite")
    assert "has been changed by hand" in said
    assert "adamss_extract_radiomics Dataset902_Phantoms 3d_fullres 0" in said
    assert (folder / "checkpoint_final.pth").is_file()


def test_an_unfinished_training_is_continued_or_restarted_but_never_lost(
    fold_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = ("--mask_source", "groundtruth")
    assert main([*FOLD_0, *settings]) == 0
    # As a kill in the last epoch leaves it.
    final = fold_folder / "checkpoint_final.pth"
    checkpoint = torch.load(final, weights_only=True)
    checkpoint["current_epoch"] = 2
    checkpoint["logging"] = {name: values[:2] for name, values in checkpoint["logging"].items()}
    torch.save(checkpoint, fold_folder / "checkpoint_latest.pth")
    final.unlink()
    assert "holds an unfinished training. Continue it with --c" in refusal(capsys, *FOLD_0, *settings)
    assert "--val needs a finished training" in refusal(capsys, *FOLD_0, "--val")
    assert main([*FOLD_0, "--c"]) == 0
    assert torch.load(final, weights_only=True)["current_epoch"] == 3


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("777", *FOLD_0[1:]), "'777' is neither the name nor the id of one data set"),
        (("902", "3d_lowres", *FOLD_0[2:]), "no configuration '3d_lowres' in the plan"),
        ((*FOLD_0[:2], "1", *FOLD_0[3:]), "no Stage-I checkpoint"),
        ((*FOLD_0, "-p", "otherPlans"), "not planned and preprocessed"),
        ((*FOLD_0, "-num_gpus", "2"), "-num_gpus 2 needs -device cuda"),
        ((*FOLD_0[:3], "-device", "cpu", "-tr", "nnUNetTrainer"), "does not predict survival"),
        ((*FOLD_0[:3], "-device", "cpu", "-tr", "NoTrainer"), "no trainer NoTrainer"),
        ((*FOLD_0, "-seg_tr", "nnUNetTrainer"), "no Stage-I checkpoint .*nnUNetTrainer__"),
        ((*FOLD_0, "--epochs", "0"), "epochs is 0, but must be at least 1"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_written(
    fold_folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], sentence: str
) -> None:
    import re

    assert re.search(sentence, refusal(capsys, *arguments))
    assert not fold_folder.parent.exists()


def test_a_stage_one_of_another_fusion_strategy_is_refused_before_anything_is_written(
    fold_folder: Path, survival_project: NnunetProject, capsys: pytest.CaptureFixture[str]
) -> None:
    write_stage_one(survival_project, trainer_class=AdaMSSSegTrainer_LateFusion)
    said = refusal(capsys, *FOLD_0, "-seg_tr", "AdaMSSSegTrainer_LateFusion")
    assert f"{TRAINER} cannot start from" in said
    assert "AdaMSSSegTrainer_LateFusion__nnUNetPlans__3d_fullres" in said
    assert "belong to another network or plan" in said
    assert not fold_folder.parent.exists()


def test_a_table_that_lacks_a_case_is_refused_with_the_file_and_the_case(
    fold_folder: Path, survival_project: NnunetProject, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = (survival_project.raw / DATASET / "survival.csv").read_text().splitlines()
    file = tmp_path / "outcomes.csv"
    file.write_text("\n".join(rows[:-1]))
    said = refusal(capsys, *FOLD_0, "--survival_csv", str(file))
    assert "outcomes.csv" in said
    assert rows[-1].split(",")[0] in said
    assert not list(fold_folder.glob("checkpoint*"))


def test_a_gpu_that_is_not_there_is_said(fold_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    assert "add -device cpu" in refusal(capsys, *FOLD_0[:5])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--c", "--val"), "exclude each other"),
        (("--mask_source", "predicted", "--masks", "masks"), "exclude each other"),
        (("--pool", "max"), "invalid choice"),
        (
            ("--interval_rule", "authors_days", "--n_intervals", "12"),
            "has 10 intervals and excludes --n_intervals",
        ),
        (("--interval_rule", "authors_days", "--interval_edges", "0", "9"), "--interval_edges excludes"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    arguments: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([*FOLD_0, *arguments])
    assert sentence in capsys.readouterr().err
