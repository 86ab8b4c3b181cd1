"""The benchmark command on real PET/CT of 28 sarcomas: statistical methods and a deep one, killed on the way."""

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nnunetv2_adamss.methods.statistical.fitted_model import FittedModel
from nnunetv2_adamss.metrics.concordance import harrell_c
from nnunetv2_adamss.metrics.image_blind_prior import dice, read_foreground
from nnunetv2_adamss.metrics.volume_and_uptake import tumour_volume_ml
from nnunetv2_adamss.prediction.patient_tables import read_clinical
from nnunetv2_adamss.survival.cohort.survival_table import read_survival_table
from nnunetv2_adamss.survival.covariates.covariate_tables import CovariateTables
from nnunetv2_adamss.survival.covariates.number_table import read_number_table
from tests.nnunet_project import command_line
from tests.pipeline.conftest import TRAINER as STAGE_ONE_TRAINER
from tests.pipeline.conftest import StageOneRun
from tests.processes import wait_until

pytestmark = pytest.mark.slow

ARGUMENTS = (
    "-d", "510", "-c", "3d_fullres", "--methods", "lasso_cox", "icare", "deepmts", "-f", "0", "--short_schedule",
    "--epochs", "1", "--mask_source", "groundtruth", "-np", "2", "-device", "cpu",
)  # fmt: skip


@pytest.fixture(scope="module")
def output(stage_one_run: StageOneRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished benchmark that was terminated in its first step after Stage I."""
    folder = tmp_path_factory.mktemp("benchmark") / "out"
    terminate_in_a_step(stage_one_run, folder)
    stage_one_run.run("adamss_benchmark", *ARGUMENTS, "-o", str(folder))
    return folder


def terminate_in_a_step(stage_one_run: StageOneRun, output: Path) -> None:
    benchmark = subprocess.Popen(
        command_line("adamss_benchmark", *ARGUMENTS, "-o", str(output)),
        env=os.environ | stage_one_run.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    wait_until(lambda: bool(list((output / "logs").glob("radiomics_of_groundtruth*.log"))), benchmark)
    benchmark.send_signal(signal.SIGTERM)
    assert benchmark.wait() != 0


def row(output: Path, method: str) -> pd.Series:
    table = pd.read_csv(output / "table_1.csv").set_index("method")
    return table.loc[method]


def test_stage_one_is_not_trained_again(output: Path) -> None:
    assert not list((output / "logs").glob(f"{STAGE_ONE_TRAINER}*"))


def test_every_method_has_a_row_with_the_pairs_of_the_fold(output: Path) -> None:
    table = pd.read_csv(output / "table_1.csv").set_index("method")
    expected = ["lasso_cox", "icare", "deepmts", "covariates_cox", "tumour_volume", "suv_max"]
    assert list(table.index) == expected
    # 14 pairs are too few for an estimate, and every row says so instead.
    assert set(table["n_pairs"]) == {14} and table["c_index"].isna().all()
    assert table["c_index_reason"].str.contains("not estimable").all()


def test_the_tumour_volume_is_that_of_the_masks(stage_one_run: StageOneRun, output: Path) -> None:
    fold = stage_one_run.project.results / "Dataset510_STS" / "TumourVolume__nnUNetPlans__3d_fullres/fold_0"
    predictions = pd.read_csv(fold / "validation" / "survival_predictions.csv").set_index("case_id")
    labels = stage_one_run.project.raw / "Dataset510_STS" / "labelsTr"
    expected = {
        case_id: tumour_volume_ml(labels / f"{case_id}.nii.gz") for case_id in stage_one_run.split["val"]
    }
    assert predictions["risk_score"].to_dict() == pytest.approx(expected)


@pytest.mark.parametrize("name", ["LassoCoxPH", "ICARE"])
def test_statistical_methods_order_their_training_patients(
    stage_one_run: StageOneRun, output: Path, name: str
) -> None:
    """So a sign or patients that are confused on the way from the masks to the risks would be seen."""
    trained = stage_one_run.project.results / "Dataset510_STS"
    fold = trained / f"{name}__nnUNetPlans__3d_fullres" / "fold_0"
    outcomes = stage_one_run.project.raw / "Dataset510_STS" / "survival.csv"
    model = FittedModel.load(fold)
    tables = CovariateTables(
        clinical=read_clinical(outcomes, model.fold.covariates.indicators),
        features=read_number_table(
            trained / f"{STAGE_ONE_TRAINER}__nnUNetPlans__3d_fullres" / "fold_0" / "radiomics_groundtruth.csv"
        ),
    )

    def risk_score(cases: Sequence[str]) -> np.ndarray:
        return model.risk_score(tables, cases, pd.DataFrame(index=list(cases)))

    training = model.fold.training_cases
    time, event = read_survival_table(outcomes).time_and_event(training)
    found = harrell_c(risk_score(training), event, time)
    assert found.n_pairs > 50 and found.c_index is not None and found.c_index > 0.6
    predictions = pd.read_csv(fold / "validation" / "survival_predictions.csv").set_index("case_id")
    expected = risk_score(list(predictions.index))
    assert predictions["risk_score"].to_numpy() == pytest.approx(expected)


def test_dice_of_deepmts_is_that_of_its_own_masks(stage_one_run: StageOneRun, output: Path) -> None:
    fold = stage_one_run.project.results / "Dataset510_STS" / (
        "DeepMTSTrainer_ShortSchedule__nnUNetPlans__3d_fullres/fold_0"
    )  # fmt: skip
    labels = stage_one_run.project.raw / "Dataset510_STS" / "labelsTr"
    scores = [
        dice(
            read_foreground(fold / "validation" / "masks" / f"{case_id}.nii.gz"),
            read_foreground(labels / f"{case_id}.nii.gz"),
        )
        for case_id in stage_one_run.split["val"]
    ]
    assert row(output, "deepmts")["dice"] == pytest.approx(np.mean(scores), abs=1e-6)


def test_run_again_nothing_is_left_to_do(stage_one_run: StageOneRun, output: Path) -> None:
    before = {file: file.stat().st_mtime_ns for file in (output / "logs").iterdir()}
    listed = stage_one_run.run("adamss_benchmark", *ARGUMENTS, "-o", str(output), "--dry_run")
    assert "to do" not in listed
    stage_one_run.run("adamss_benchmark", *ARGUMENTS, "-o", str(output))
    assert {file: file.stat().st_mtime_ns for file in (output / "logs").iterdir()} == before
