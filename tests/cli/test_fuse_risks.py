"""``adamss_fuse_risks`` as a user types it."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd
import pytest

from nnunetv2_adamss.cli import fuse_risks

Write = Callable[..., str]
ASCENDING = {f"p{number:02d}": float(number) for number in range(20)}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes risks by ``case_id`` to a CSV of this name, with further columns, and returns its path."""

    def write_file(name: str, risks: Mapping[str, float], **columns: Sequence[object]) -> str:
        table = pd.DataFrame({"case_id": list(risks), "risk_score": list(risks.values()), **columns})
        table.to_csv(tmp_path / f"{name}.csv", index=False)
        return str(tmp_path / f"{name}.csv")

    return write_file


def fused(tmp_path: Path, *options: str, exit_code: int = 0) -> dict[str, float]:
    output = tmp_path / "out" / "fused.csv"
    assert fuse_risks.main([*options, "-o", str(output)]) == exit_code
    return dict(pd.read_csv(output).set_index("case_id")["risk_score"])


def refusal(tmp_path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    assert fuse_risks.main([*options, "-o", str(tmp_path / "no.csv")]) == 2
    assert not (tmp_path / "no.csv").exists()
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


def test_risks_in_any_units_are_fused_by_the_mean_of_their_ranks(tmp_path: Path, write: Write) -> None:
    first = write("a", {"x": 1, "y": 2, "z": 3})
    second = write("b", {"z": 2e-5, "x": 3e-5, "y": 1e-5})
    found = fused(tmp_path, "--predictions", first, second)
    assert found == pytest.approx({"x": 3 / 6, "y": 2 / 6, "z": 4 / 6})


def test_a_patient_that_a_file_lacks_is_named_and_left_out(
    tmp_path: Path, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    first = write("a", {"x": 1, "y": 2, "z": 3, "w": float("nan")})
    second = write("b", {"x": 1, "y": 2, "w": 3})
    found = fused(tmp_path, "--predictions", first, second, exit_code=1)
    assert found == {"x": 0.25, "y": 0.75}
    assert (
        "2 patient(s) are left out, since a file has no finite risk of them: w, z" in capsys.readouterr().err
    )


def test_files_of_other_cohorts_are_refused(
    tmp_path: Path, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    files = write("a", {"x": 1, "y": 2}), write("b", {"v": 1, "w": 2})
    assert "No patient has a risk in all of " in refusal(tmp_path, capsys, "--predictions", *files)


def test_one_patient_alone_is_ranked_among_the_training_cohort(
    tmp_path: Path, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    files = write("a", {"new": 4.5}), write("b", {"new": -19.0})
    assert "new is the only patient" in refusal(tmp_path, capsys, "--predictions", *files)
    reference = write("a_training", ASCENDING), write("b_training", {k: v - 24 for k, v in ASCENDING.items()})
    found = fused(tmp_path, "--predictions", *files, "--reference", *reference)
    assert found == pytest.approx({"new": (5 + 5.5) / 40})


def test_patients_of_the_reference_are_no_new_ones(
    tmp_path: Path, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [write(name, ASCENDING) for name in ("a", "b")]
    error = refusal(tmp_path, capsys, "--predictions", *files, "--reference", *files)
    assert "20 patient(s) to fuse are in the reference too" in error


def test_references_of_different_patients_are_refused(
    tmp_path: Path, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    files = write("a", {"new": 4.5}), write("b", {"new": 4.5})
    reference = write("a_training", ASCENDING), write("b_training", dict(list(ASCENDING.items())[2:]))
    error = refusal(tmp_path, capsys, "--predictions", *files, "--reference", *reference)
    assert error.count("2 patient(s) have no finite risk in each of") == 1
    assert all(name in error for name in list(ASCENDING)[:2])


def test_risks_of_calibrated_curves_have_no_rank_among_uncalibrated_ones(
    tmp_path: Path, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = write("a", {"new": 1}, calibration=["model"]), write("b", {"new": 1})
    reference = [write(f"{name}_training", ASCENDING) for name in "ab"]
    error = refusal(tmp_path, capsys, "--predictions", first, second, "--reference", *reference)
    assert "a.csv holds risks of calibrated curves" in error and "--no_calibration" in error
    write("a", {"new": 1}, calibration=["none"])
    assert fused(tmp_path, "--predictions", first, second, "--reference", *reference)


def test_risks_outside_the_range_of_the_reference_are_doubted(
    tmp_path: Path, write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    files = write("a", {"new": 1000}), write("b", {"new": 1})
    reference = [write(f"{name}_training", ASCENDING) for name in "ab"]
    assert fused(tmp_path, "--predictions", *files, "--reference", *reference) == {"new": (20 + 1.5) / 40}
    (message,) = caplog.messages
    assert message.startswith("1 of 1 risks in ") and "a.csv lie outside the range of " in message


def test_models_that_rank_in_opposite_order_are_doubted(
    tmp_path: Path, write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = write("a", ASCENDING), write("b", {k: -v for k, v in ASCENDING.items()})
    fused(tmp_path, "--predictions", first, second)
    (message,) = caplog.messages
    assert f"{first} and {second} rank the patients in opposite order (Spearman's rho -1.00)" in message


def test_models_that_agree_or_know_nothing_are_not_doubted(
    tmp_path: Path, write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    files = write("a", ASCENDING), write("b", ASCENDING), write("c", dict.fromkeys(ASCENDING, 1.0))
    fused(tmp_path, "--predictions", *files)
    assert not caplog.messages


def test_a_risk_that_rises_with_the_predicted_time_is_refused(
    tmp_path: Path, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    first = write("a", {"x": 1, "y": 2}, predicted_time=[100, 200])
    error = refusal(tmp_path, capsys, "--predictions", first, write("b", {"x": 1, "y": 2}))
    assert "a.csv: risk_score rises with predicted_time" in error
    write("a", {"x": 1, "y": 2}, predicted_time=[200, 100])
    assert fused(tmp_path, "--predictions", first, str(tmp_path / "b.csv"))


def test_a_file_with_times_alone_is_refused(
    tmp_path: Path, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "t.csv").write_text("case_id,predicted_time\nx,100\ny,200\n")
    error = refusal(tmp_path, capsys, "--predictions", write("a", {"x": 1, "y": 2}), str(tmp_path / "t.csv"))
    assert "t.csv" in error and "risk_score" in error


def test_a_submission_has_the_columns_of_the_challenge(tmp_path: Path, write: Write) -> None:
    files = [write(name, {"CHUM-001": 1, "CHUM-002": 2}) for name in ("a", "b")]
    output = tmp_path / "predictions.csv"
    assert fuse_risks.main(["--predictions", *files, "--hecktor_submission", "-o", str(output)]) == 0
    assert output.read_text() == "PatientID,Prediction\nCHUM-001,0.25\nCHUM-002,0.75\n"


def test_the_reference_is_written_of_a_trained_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("nnUNet_results", str(tmp_path))
    table = "case_id,risk_score,survival_at_10,survival_at_20\na,-1,0.8,0.4\n"
    fold = tmp_path / "Dataset007_X" / "AdaMSSSurvTrainer__nnUNetPlans__3d_fullres" / "fold_0"
    (fold / "validation").mkdir(parents=True)
    (fold / "survival_summary.json").write_text(json.dumps({"settings": {}, "interval_edges": [0, 10, 20]}))
    for name in ("survival_predictions.csv", "survival_predictions_best.csv"):
        (fold / "validation" / name).write_text(table)
    (fold / "checkpoint_best.pth").touch()
    model = ["-d", "Dataset007_X", "-c", "3d_fullres", "-f", "0"]
    assert fused(tmp_path, *model) == {"a": pytest.approx(-12)}
    error = refusal(tmp_path, capsys, *model, "-chk", "checkpoint_latest.pth")
    assert "are kept of checkpoint_best.pth and checkpoint_final.pth only" in error


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "give either --predictions or -d"),
        (["--predictions", "a.csv", "b.csv", "-d", "7"], "give either --predictions or -d"),
        (["-d", "7"], "-d needs -c"),
        (["-d", "7", "-c", "x", "--hecktor_submission"], "go with --predictions"),
        (["--predictions", "a.csv"], "two models at least"),
        (["--predictions", "a.csv", "b.csv", "--reference", "c.csv"], "--reference has 1 files, but --predictions 2"),
    ],
)  # fmt: skip
def test_options_that_make_no_sense_together_are_refused(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        fuse_risks.main([*options, "-o", "out.csv"])
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err
