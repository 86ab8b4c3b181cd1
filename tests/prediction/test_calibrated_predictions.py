"""Calibrations reach the curves of new patients, and only those that they were fitted for."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nnunetv2_adamss.common.files import sha256_of
from nnunetv2_adamss.prediction.calibration import Calibration
from nnunetv2_adamss.prediction.calibration_files import write_calibration, write_model_calibrations
from nnunetv2_adamss.prediction.predict_patients import PredictionRequest, predict_patients
from nnunetv2_adamss.prediction.survival_model import SurvivalModel
from tests.trained_model import TrainedModel

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning:torch"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
]

CHECKPOINT = "checkpoint_final.pth"


@pytest.fixture
def model_folder(trained_model: TrainedModel, tmp_path: Path) -> Path:
    """A copy of the model, to calibrate."""
    shutil.copytree(trained_model.results, tmp_path / "results")
    return tmp_path / "results" / trained_model.folder.relative_to(trained_model.results)


def calibration_of(model_folder: Path, slope: float, threshold: float) -> Calibration:
    model = SurvivalModel.load(model_folder, [0], CHECKPOINT)
    return Calibration(
        times=tuple(model.times),
        slope=slope,
        intercepts=(0.0,) * len(model.times),
        risk_threshold=threshold,
        n_cases=4,
        n_events=2,
        time_unit="days",
        folds=(0,),
        sha256={"fold 0": sha256_of(model_folder / "fold_0" / CHECKPOINT)},
    )


def predict(
    trained_model: TrainedModel, model_folder: Path, tmp_path: Path, **options: object
) -> pd.DataFrame:
    images = tmp_path / "images"
    if not images.is_dir():
        trained_model.images(trained_model.validation_cases(0)[:2], images)
    request = PredictionRequest(
        model_folder, images, tmp_path / "out", [0], CHECKPOINT, "cpu", trained_model.clinical,
        continue_prediction=True,
    )  # fmt: skip
    predict_patients(replace(request, **options))  # type: ignore[arg-type]
    return pd.read_csv(tmp_path / "out" / "survival_predictions.csv").set_index("case_id")


def conditional_logits(table: pd.DataFrame) -> np.ndarray:
    curve = table.filter(like="survival_at_").to_numpy()
    probability = curve / np.column_stack([np.ones(len(curve)), curve[:, :-1]])
    return np.log(probability / (1 - probability))


def test_curves_and_groups_follow_the_models_calibration_and_then_the_hospitals(
    trained_model: TrainedModel, model_folder: Path, tmp_path: Path
) -> None:
    raw = predict(trained_model, model_folder, tmp_path)
    assert set(raw["calibration"]) == {"none"}
    assert raw["risk_group"].isna().all()

    calibration = calibration_of(model_folder, slope=0.5, threshold=-1e9)
    write_model_calibrations(model_folder, {CHECKPOINT: calibration})
    calibrated = predict(trained_model, model_folder, tmp_path)
    np.testing.assert_allclose(
        conditional_logits(calibrated), 0.5 * conditional_logits(raw), rtol=1e-4, atol=1e-6
    )
    assert set(calibrated["calibration"]) == {"model"}
    assert set(calibrated["risk_group"]) == {"high"}

    own = tmp_path / "own.json"
    write_calibration(own, replace(calibration, slope=3.0, risk_threshold=0.0, on="model"))
    again = predict(trained_model, model_folder, tmp_path, calibration_json=own)
    np.testing.assert_allclose(conditional_logits(again), 1.5 * conditional_logits(raw), rtol=1e-4, atol=1e-6)
    assert set(again["calibration"]) == {"hospital"}
    assert set(again["risk_group"]) == {"low"}


def test_no_calibration_leaves_the_networks_own_curves_and_risks(
    trained_model: TrainedModel, model_folder: Path, tmp_path: Path
) -> None:
    before = predict(trained_model, model_folder, tmp_path)
    calibration = calibration_of(model_folder, slope=2.0, threshold=0.0)
    write_model_calibrations(model_folder, {CHECKPOINT: calibration})
    calibrated = predict(trained_model, model_folder, tmp_path)
    assert not np.allclose(calibrated["risk_score"], before["risk_score"])
    assert (calibrated["calibration"] == "model").all()
    after = predict(trained_model, model_folder, tmp_path, calibrated=False)
    pd.testing.assert_frame_equal(after, before)


def test_a_hospitals_calibration_of_other_curves_is_refused(
    trained_model: TrainedModel, model_folder: Path, tmp_path: Path
) -> None:
    calibration, own = calibration_of(model_folder, 1.0, 0.0), tmp_path / "own.json"
    write_calibration(own, replace(calibration, on="model"))
    with pytest.raises(ValueError, match="fitted on curves with calibration 'model', but this model gives"):
        predict(trained_model, model_folder, tmp_path, calibration_json=own)
    write_calibration(own, replace(calibration, sha256={"fold 0": "0" * 64}))
    with pytest.raises(ValueError, match="fitted on predictions of another model or of other folds"):
        predict(trained_model, model_folder, tmp_path, calibration_json=own)
    write_calibration(own, replace(calibration, times=tuple(1.1 * t for t in calibration.times)))
    with pytest.raises(ValueError, match="was fitted at the times"):
        predict(trained_model, model_folder, tmp_path, calibration_json=own)
    own.write_text("[]")
    with pytest.raises(ValueError, match="does not hold what adamss_calibrate writes"):
        predict(trained_model, model_folder, tmp_path, calibration_json=own)


def test_a_calibration_of_other_folds_or_of_a_former_training_is_not_used(
    model_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    calibration = calibration_of(model_folder, 1.0, 0.0)
    for outdated in (
        replace(calibration, sha256={"fold 0": "0" * 64}),
        replace(calibration, folds=(0, 1, 2)),
    ):
        write_model_calibrations(model_folder, {CHECKPOINT: outdated})
        assert SurvivalModel.load(model_folder, [0], CHECKPOINT).calibration is None
        assert "of other folds" in caplog.text
        caplog.clear()
    write_model_calibrations(model_folder, {CHECKPOINT: calibration})
    assert SurvivalModel.load(model_folder, [0], CHECKPOINT).calibration == calibration
    assert not caplog.text
