"""Stage II from end to end on real PET/CT of 28 soft-tissue sarcomas, killed on the way."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from nnunetv2_adamss.metrics.concordance import Concordance, bootstrap_harrell_c
from nnunetv2_adamss.metrics.image_blind_prior import dice, read_foreground
from nnunetv2_adamss.metrics.volume_and_uptake import suv_max, tumour_volume_ml
from tests.nnunet_project import command_line
from tests.pipeline.conftest import TRAINER as STAGE_ONE_TRAINER
from tests.pipeline.conftest import StageOneRun
from tests.processes import wait_until

pytestmark = pytest.mark.slow

TRAINER = "AdaMSSSurvTrainer_ShortSchedule"
FOLD_0 = ("510", "3d_fullres", "0", "-tr", TRAINER, "-device", "cpu")
SETTINGS = ("-seg_tr", STAGE_ONE_TRAINER)


@dataclass(frozen=True)
class KilledRun:
    """A finished training that was killed once, and what was there at that moment."""

    folder: Path
    epochs_done: int
    mask_times: dict[Path, int]


def mask_times(stage_one_run: StageOneRun) -> dict[Path, int]:
    """When each Stage-I mask was written."""
    return {file: file.stat().st_mtime_ns for file in (stage_one_run.fold / "stage1_masks").glob("*.nii.gz")}


@pytest.fixture(scope="module")
def killed_and_resumed(stage_one_run: StageOneRun) -> KilledRun:
    dataset = stage_one_run.project.results / "Dataset510_STS"
    folder = dataset / f"{TRAINER}__nnUNetPlans__3d_fullres" / "fold_0"
    kill_in_third_epoch(stage_one_run, folder)
    epochs_done = torch.load(folder / "checkpoint_latest.pth", weights_only=True)["current_epoch"]
    times = mask_times(stage_one_run)
    stage_one_run.run("adamss_finetune_survival", *FOLD_0, "--c")
    return KilledRun(folder, epochs_done, times)


def kill_in_third_epoch(stage_one_run: StageOneRun, folder: Path) -> None:
    training = subprocess.Popen(
        command_line("adamss_finetune_survival", *FOLD_0, *SETTINGS),
        env=os.environ | stage_one_run.environment,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_until(
            lambda: any("Epoch 2" in log.read_text() for log in folder.glob("training_log*")), training
        )
    finally:
        os.killpg(training.pid, signal.SIGKILL)
        training.wait()


def test_a_killed_training_repeats_at_most_the_epoch_in_hand_and_predicts_no_mask_twice(
    stage_one_run: StageOneRun, killed_and_resumed: KilledRun
) -> None:
    logs = sorted(killed_and_resumed.folder.glob("training_log*"))
    first, second = (log.read_text() for log in logs)
    assert killed_and_resumed.epochs_done == 2
    assert [int(epoch) for epoch in re.findall(r"Epoch (\d+)", second)] == list(range(2, 10))
    assert len(killed_and_resumed.mask_times) == 28
    assert mask_times(stage_one_run) == killed_and_resumed.mask_times
    assert re.search(r"All (\d+) tensors of encoder and decoder come from Stage I", first)


def test_radiomics_are_extracted_and_clinical_indicators_screened(
    stage_one_run: StageOneRun, killed_and_resumed: KilledRun, report: Callable[[str], None]
) -> None:
    features = pd.read_csv(stage_one_run.fold / "radiomics_predicted.csv")
    assert features.shape == (28, 1 + 1456)
    folder = killed_and_resumed.folder
    ratios = pd.read_csv(folder / "hazard_ratios.csv")
    raw = pd.read_csv(stage_one_run.project.raw / "Dataset510_STS" / "survival.csv")
    assert set(ratios["indicator"]) <= set(raw.columns[3:])
    summary = json.loads((folder / "survival_summary.json").read_text())
    alone = summary["c_index_covariates_only"]
    report(f"covariates on the real set: {summary['covariates']['inputs']}, alone C {alone['c_index']}")


def test_it_ends_with_the_right_cases(stage_one_run: StageOneRun, killed_and_resumed: KilledRun) -> None:
    table = pd.read_csv(killed_and_resumed.folder / "validation" / "survival_predictions.csv")
    assert sorted(table["case_id"]) == stage_one_run.split["val"]
    assert np.isfinite(table["risk_score"]).all()
    assert table["risk_score"].nunique() == len(table)


def test_the_c_index_is_reported_beside_tumour_volume_and_suvmax(
    stage_one_run: StageOneRun, killed_and_resumed: KilledRun, report: Callable[[str], None]
) -> None:
    folder = killed_and_resumed.folder
    raw = stage_one_run.project.raw / "Dataset510_STS"
    table = pd.read_csv(folder / "validation" / "survival_predictions.csv").set_index("case_id")
    outcomes = pd.read_csv(raw / "survival.csv").set_index("case_id").loc[table.index]
    masks = [raw / "labelsTr" / f"{case_id}.nii.gz" for case_id in table.index]
    pets = [raw / "imagesTr" / f"{case_id}_0001.nii.gz" for case_id in table.index]
    risks = {
        "AdaMSS, last epoch": table["risk_score"].to_numpy(),
        "tumour volume": np.array([tumour_volume_ml(mask) for mask in masks]),
        "SUVmax": np.array([suv_max(pet, mask) for pet, mask in zip(pets, masks, strict=True)]),
    }
    event, time = outcomes["event"].to_numpy(dtype=bool), outcomes["time"].to_numpy()
    scores = {name: bootstrap_harrell_c(risk, event, time) for name, risk in risks.items()}
    summary = json.loads((folder / "survival_summary.json").read_text())["c_index"]["last"]
    assert summary["c_index"] == pytest.approx(scores["AdaMSS, last epoch"].c_index, abs=1e-9)
    assert summary["n_pairs"] == scores["SUVmax"].n_pairs
    for name, score in scores.items():
        report(f"C-index of {len(table)} validation cases, {name}: {words(score)}")


def test_cases_that_were_not_trained_on_are_predicted_from_raw_images_and_evaluated(
    stage_one_run: StageOneRun, killed_and_resumed: KilledRun, tmp_path: Path, report: Callable[[str], None]
) -> None:
    cases = stage_one_run.split["val"]
    images = stage_one_run.images_of(cases, tmp_path / "images")
    survival_csv = str(stage_one_run.project.raw / "Dataset510_STS" / "survival.csv")
    out, evaluation = tmp_path / "out", tmp_path / "evaluation"
    stage_one_run.run(
        "adamss_predict_survival", "-i", str(images), "-o", str(out), "-d", "510", "-c", "3d_fullres", "-tr", TRAINER,
        "-f", "0", "-chk", "checkpoint_final.pth", "-device", "cpu", "--clinical", survival_csv,
    )  # fmt: skip
    predicted, validated = (
        pd.read_csv(file).set_index("case_id").loc[cases]
        for file in (
            out / "survival_predictions.csv",
            killed_and_resumed.folder / "validation" / "survival_predictions_last.csv",
        )
    )
    np.testing.assert_allclose(predicted["risk_score"], validated["risk_score"], rtol=1e-4)
    for case_id in cases:
        own = stage_one_run.fold / "stage1_masks" / f"{case_id}.nii.gz"
        again, before = (read_foreground(file) for file in (out / "masks" / own.name, own))
        assert np.array_equal(again, before) or dice(again, before) > 0.999

    stage_one_run.run(
        "adamss_evaluate_survival", "--predictions", str(out / "survival_predictions.csv"),
        "--survival_csv", survival_csv, "-o", str(evaluation),
    )  # fmt: skip
    metrics = json.loads((evaluation / "metrics.json").read_text())
    assert metrics["cohort"]["n_patients"] == len(cases)
    shares = json.loads((out / "prediction.json").read_text())["seconds_per_case"]
    report(f"seconds for a patient of the real set: {shares}")


def words(score: Concordance) -> str:
    assert score.c_index is not None
    interval = "no interval" if score.interval is None else "[{:.2f}, {:.2f}]".format(*score.interval)
    return f"{score.c_index:.2f} {interval}, {score.n_pairs} pairs"


def test_nnunets_own_train_command_takes_the_same_trainer(stage_one_run: StageOneRun) -> None:
    """With defaults, so without a full-schedule Stage-I network it says what is missing."""
    said = stage_one_run.run_expecting_failure(
        "nnUNetv2_train", "510", "3d_fullres", "0", "-tr", "AdaMSSSurvTrainer", "-device", "cpu"
    )
    assert "There is no Stage-I checkpoint" in said.splitlines()[-1]


def test_nnunets_own_predict_command_refers_to_the_survival_command(
    stage_one_run: StageOneRun, killed_and_resumed: KilledRun, tmp_path: Path
) -> None:
    images = stage_one_run.images_of(stage_one_run.split["val"][:1], tmp_path / "images")
    said = stage_one_run.run_expecting_failure(
        "nnUNetv2_predict", "-i", str(images), "-o", str(tmp_path / "out"), "-d", "510", "-c", "3d_fullres",
        "-tr", TRAINER, "-f", "0", "-device", "cpu",
    )  # fmt: skip
    assert "predicts survival, not masks" in said.splitlines()[-1]
