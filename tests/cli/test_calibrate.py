"""The command that calibrates, on folders as five finished folds leave them."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter
from scipy.special import expit

from nnunetv2_adamss.cli import calibrate
from nnunetv2_adamss.common.files import sha256_of
from nnunetv2_adamss.prediction.calibration import Calibration
from nnunetv2_adamss.prediction.calibration_files import read_calibration, read_model_calibrations
from nnunetv2_adamss.trained_folds.fold_files import CHECKPOINTS, epoch_predictions_file
from nnunetv2_adamss.trained_folds.prediction import SurvivalPrediction
from tests.nnunet_project import NnunetProject

NAME = "Dataset007_Simulated"
PREDICTIONS, OUTCOMES = "--predictions", "--survival_csv"
MODEL = "AdaMSSSurvTrainer__nnUNetPlans__3d_fullres"
N_CASES, N_FOLDS = 300, 5
# Fold 3 ends first.
LAST_EDGES = (60.0, 60.0, 58.0, 50.0, 60.0)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NnunetProject:
    """Five folds whose networks rank well and are far too pessimistic."""
    project = NnunetProject(tmp_path)
    project.use(monkeypatch)
    rng = np.random.default_rng(0)
    risk = rng.normal(size=N_CASES)
    death, censoring = rng.exponential(60 * np.exp(-risk)), rng.uniform(5, 60, N_CASES)
    table = pd.DataFrame(
        {
            "case_id": [f"case_{i:03d}" for i in range(N_CASES)],
            "time": np.minimum(death, censoring).clip(0.01),
            "event": (death <= censoring).astype(int),
        }
    )
    folder = project.raw / NAME
    folder.mkdir(parents=True)
    table.to_csv(folder / "survival.csv", index=False)
    (folder / "survival.json").write_text('{"time_unit": "months", "endpoint": "death"}')
    for number, last_edge in enumerate(LAST_EDGES):
        cases = np.arange(number, N_CASES, N_FOLDS)
        edges = np.linspace(0, last_edge, 6 + number)
        write_fold(project, number, table["case_id"][cases], risk[cases], edges)
    return project


def write_fold(
    project: NnunetProject, number: int, case_ids: Sequence[str], risk: np.ndarray, edges: np.ndarray
) -> None:
    folder = fold_folder(project, number)
    folder.mkdir(parents=True)
    for epoch, pessimism in (("best", 0.2), ("last", 0.6)):
        (folder / CHECKPOINTS[epoch]).write_text(f"{epoch} {number}")
        prob = expit(1.0 - 2 * risk[:, None] - pessimism * np.ones(len(edges) - 1))
        SurvivalPrediction(list(case_ids), prob, edges).write(folder / epoch_predictions_file(epoch))
    summary = {
        "dataset": NAME,
        "time_unit": "months",
        "endpoint": "death",
        "interval_edges": edges.tolist(),
        "settings": {"survival_csv": None},
        "sources_sha256": {"outcomes (survival.csv)": sha256_of(survival_csv(project))},
    }
    (folder / "survival_summary.json").write_text(json.dumps(summary))


def survival_csv(project: NnunetProject) -> Path:
    return project.raw / NAME / "survival.csv"


def fold_folder(project: NnunetProject, number: int) -> Path:
    return project.results / NAME / MODEL / f"fold_{number}"


def model_folder(project: NnunetProject) -> Path:
    return project.results / NAME / MODEL


def change_summary(project: NnunetProject, number: int, **changes: Any) -> None:
    file = fold_folder(project, number) / "survival_summary.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def of_files(predictions: Path, outcomes: Path, output: Path) -> list[str]:
    return [PREDICTIONS, str(predictions), OUTCOMES, str(outcomes), "-o", str(output)]


def failed(options: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert calibrate.main(options) == 2
    out, error = capsys.readouterr()
    assert out == "" and error.count("\n") == 1
    return error


# ------------------------------------------------------------------------------------------- of a model


def test_each_checkpoint_gets_a_calibration_that_makes_its_curves_agree_with_kaplan_meier(
    project: NnunetProject, capsys: pytest.CaptureFixture[str]
) -> None:
    assert calibrate.main(["-d", "7", "-c", "3d_fullres"]) == 0
    found = read_model_calibrations(model_folder(project))
    assert set(found) == {"checkpoint_best.pth", "checkpoint_final.pth"}
    table = pd.read_csv(survival_csv(project))
    times = np.linspace(0, 50, 9)[1:]
    observed = KaplanMeierFitter().fit(table["time"], table["event"]).survival_function_at_times(times)
    for name, calibration in found.items():
        assert calibration.times == pytest.approx(times)
        assert calibration.time_unit == "months"
        assert calibration.folds == (0, 1, 2, 3, 4)
        assert (calibration.n_cases, calibration.n_events) == (N_CASES, table["event"].sum())
        assert calibration.changed_folds({n: fold_folder(project, n) / name for n in range(5)}) == []
        assert calibration.sha256["outcomes (survival.csv)"] == sha256_of(survival_csv(project))
        assert 0.2 < calibration.slope < 1
        assert calibration.ensemble is not None and calibration.ensemble.slope > calibration.slope
    # The last epoch is the more pessimistic one.
    assert np.mean(found["checkpoint_final.pth"].intercepts) > np.mean(
        found["checkpoint_best.pth"].intercepts
    )
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    rows = [row for row in rows if row and row[0].replace(".", "").isdecimal()]
    assert [float(row[1]) for row in rows] == pytest.approx([*observed, *observed], abs=5e-4)
    before, after, on_other_folds = (
        np.array([float(row[column]) for row in rows]) for column in (-3, -2, -1)
    )
    assert np.abs(before - [*observed, *observed]).max() > 0.2
    assert np.abs(after - [*observed, *observed]).max() < 0.05
    assert np.abs(on_other_folds - [*observed, *observed]).max() < 0.1
    assert (on_other_folds != after).any()
    assert (model_folder(project) / "survival_calibration.png").stat().st_size > 10_000


def test_the_threshold_halves_the_cases(project: NnunetProject) -> None:
    assert calibrate.main(["-d", NAME, "-c", "3d_fullres", "-f", "0"]) == 0
    calibration = read_model_calibrations(model_folder(project))["checkpoint_final.pth"]
    # Of one fold, so these are its own edges.
    curve = pd.read_csv(fold_folder(project, 0) / epoch_predictions_file("last")).filter(like="survival_at_")
    calibrated = calibration.apply(curve.to_numpy())
    mean_time = calibrated @ np.diff(calibration.times, prepend=0)
    assert calibration.folds == (0,)
    assert (-mean_time > calibration.risk_threshold).sum() == N_CASES / N_FOLDS / 2


def test_a_checkpoint_that_not_every_fold_has_is_left_out(project: NnunetProject) -> None:
    (fold_folder(project, 2) / "checkpoint_best.pth").unlink()
    assert calibrate.main(["-d", "7", "-c", "3d_fullres"]) == 0
    assert list(read_model_calibrations(model_folder(project))) == ["checkpoint_final.pth"]


def test_unfinished_folds_are_named_with_what_to_do(
    project: NnunetProject, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(fold_folder(project, 1))
    (fold_folder(project, 4) / "checkpoint_final.pth").unlink()
    error = failed(["-d", "7", "-c", "3d_fullres"], capsys)
    assert "Fold 1, 4" in error
    assert "3d_fullres 1, or choose those that are with -f 0 2 3" in error
    assert calibrate.main(["-d", "7", "-c", "3d_fullres", "-f", "0", "2", "3"]) == 0


def test_folds_of_an_older_version_must_be_validated_again(
    project: NnunetProject, capsys: pytest.CaptureFixture[str]
) -> None:
    (fold_folder(project, 3) / epoch_predictions_file("last")).unlink()
    assert "Fold 3" in (error := failed(["-d", "7", "-c", "3d_fullres"], capsys)) and "--val" in error


def test_predictions_of_another_training_are_refused(
    project: NnunetProject, capsys: pytest.CaptureFixture[str]
) -> None:
    change_summary(project, 1, interval_edges=[0, 10, 20])
    assert "differ in their times" in failed(["-d", "7", "-c", "3d_fullres"], capsys)


@pytest.mark.parametrize(("name", "value"), [("time_unit", "days"), ("endpoint", "recurrence")])
def test_folds_with_another_endpoint_or_unit_are_refused(
    project: NnunetProject, name: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    change_summary(project, 2, **{name: value})
    assert f"trained on another (fold 2: {value})" in failed(["-d", "7", "-c", "3d_fullres"], capsys)


def test_cases_that_two_folds_validate_are_refused(
    project: NnunetProject, capsys: pytest.CaptureFixture[str]
) -> None:
    for part in ("validation", "survival_summary.json"):
        source, target = (fold_folder(project, number) / part for number in (0, 4))
        if target.is_dir():
            shutil.rmtree(target)
            shutil.copytree(source, target)
        else:
            shutil.copy(source, target)
    error = failed(["-d", "7", "-c", "3d_fullres"], capsys)
    assert "case_000 (folds 0 and 4)" in error and "(60 in all)" in error


def test_outcomes_that_changed_after_training_are_refused_and_the_old_table_is_taken_from_elsewhere(
    project: NnunetProject, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = tmp_path / "old"
    shutil.copytree(survival_csv(project).parent, old)
    table = pd.read_csv(survival_csv(project))
    table.assign(time=table["time"] + 1).to_csv(survival_csv(project), index=False)
    assert "Fold 0, 1, 2, 3, 4 was not trained on the outcomes" in failed(
        ["-d", "7", "-c", "3d_fullres"], capsys
    )
    assert not (model_folder(project) / "survival_calibration.json").exists()
    assert calibrate.main(["-d", "7", "-c", "3d_fullres", OUTCOMES, str(old / "survival.csv")]) == 0


# -------------------------------------------------------------------------- of a file of predictions


def test_a_new_hospitals_predictions_are_calibrated(
    project: NnunetProject, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "hospital" / "ours.json"
    predictions = fold_folder(project, 0) / epoch_predictions_file("last")
    assert calibrate.main(of_files(predictions, survival_csv(project), output)) == 0
    found = read_calibration(output)
    assert isinstance(found, Calibration)
    assert found.times == (12, 24, 36, 48, 60)
    assert (found.n_cases, found.folds) == (60, ())
    assert found.sha256["predictions (survival_predictions_last.csv)"] == sha256_of(predictions)
    assert output.with_suffix(".png").is_file()
    # Follow-up ends before 60 months.
    out = capsys.readouterr().out
    (last_row,) = [line for line in out.splitlines() if line.split()[:1] == ["60"]]
    assert "beyond follow-up" in last_row
    assert "of the patients that it was fitted on, so it looks better than it is" in out


def test_cases_without_an_outcome_are_left_out_and_those_without_a_row_refused(
    project: NnunetProject,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    table = pd.read_csv(survival_csv(project))
    table.loc[0, ["time", "event"]] = np.nan
    predictions = fold_folder(project, 0) / epoch_predictions_file("last")
    options = of_files(predictions, tmp_path / "o.csv", tmp_path / "c.json")
    table.to_csv(tmp_path / "o.csv", index=False)
    assert calibrate.main(options) == 0
    assert "1 case(s) without an outcome are left out: case_000" in caplog.text
    assert read_calibration(tmp_path / "c.json").n_cases == 59
    capsys.readouterr()
    table.iloc[6:].to_csv(tmp_path / "o.csv", index=False)
    assert "predicted cases have no row: case_000, case_005." in failed(options, capsys)


def test_too_few_events_are_said(
    project: NnunetProject, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = pd.read_csv(survival_csv(project)).iloc[::N_FOLDS]
    table.assign(event=[1] * 9 + [0] * 51).to_csv(tmp_path / "o.csv", index=False)
    predictions = fold_folder(project, 0) / epoch_predictions_file("last")
    options = of_files(predictions, tmp_path / "o.csv", tmp_path / "c.json")
    assert "at least 10 events; there are 9" in failed(options, capsys)
    assert not (tmp_path / "c.json").exists()


# ------------------------------------------------------------------------------------------- the options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "give -d and -c, or --predictions"),
        (["-d", "7"], "give -d and -c, or --predictions"),
        (["-d", "7", "-c", "3d_fullres", "-f", "all"], "fold all trains on every case"),
        (["-d", "7", "-c", "3d_fullres", "-f", "0", "x"], "-f takes numbers of folds, not 0 x"),
        ([PREDICTIONS, "p.csv"], "goes with --survival_csv CSV and -o"),
        (
            ["-d", "7", "-c", "3d_fullres", PREDICTIONS, "p.csv", OUTCOMES, "s.csv", "-o", "c.json"],
            "without a data set",
        ),
        ([PREDICTIONS, "p.csv", OUTCOMES, "s.csv", "-o", "c.png"], "-o must end in .json"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        calibrate.main(options)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_a_model_that_was_never_trained_is_refused(
    project: NnunetProject, capsys: pytest.CaptureFixture[str]
) -> None:
    error = failed(["-d", "7", "-c", "3d_fullres", "-tr", "AdaMSSSurvTrainer_ImageOnly"], capsys)
    assert "AdaMSSSurvTrainer_ImageOnly__nnUNetPlans__3d_fullres is not trained to the end" in error
