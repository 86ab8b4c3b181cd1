"""No number that is not finite becomes a result, and no risk group stands without a risk."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nnunetv2_adamss.methods.statistical.fitted_model import FittedModel
from nnunetv2_adamss.prediction.calibration import MAX_INTERCEPT, MAX_SLOPE, Calibration
from nnunetv2_adamss.prediction.calibration_files import (
    read_calibration,
    read_model_calibrations,
    write_calibration,
)
from nnunetv2_adamss.prediction.patient_prediction import FoldPrediction, PatientPrediction
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.covariates.covariate_model import CovariateModel
from nnunetv2_adamss.survival.covariates.covariate_tables import CovariateTables
from nnunetv2_adamss.survival.covariates.linear_risk import LinearRisk
from nnunetv2_adamss.survival.covariates.scaling import Scaling
from nnunetv2_adamss.trained_folds.prediction import RiskPrediction, SurvivalPrediction

_NAN, _INF = math.nan, math.inf


def a_calibration(**changes: Any) -> dict[str, Any]:
    return Calibration((1.0, 2.0), 0.7, (0.1, -0.2), -1.5, 50, 20, "days", (0,)).to_dict() | changes


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("intercepts", [_NAN, 0.0]),
        ("intercepts", [0.0, "x"]),
        ("intercepts", [0.0, 2 * MAX_INTERCEPT]),
        ("slope", 1e300),
        ("slope", 1.01 * MAX_SLOPE),
        ("slope", True),
        ("slope", "0.7"),
        ("risk_threshold", _NAN),
        ("risk_threshold", _INF),
        ("risk_threshold", None),
        ("times", [1.0, _INF]),
        ("times", ["1", "2"]),
        ("times", "12"),
        ("n_cases", -1),
        ("folds", ["x"]),
        ("sha256", ["x"]),
        ("on", "hospital"),
        ("time_unit", None),
    ],
)
def test_a_calibration_of_impossible_values_is_named_with_its_file(
    tmp_path: Path, name: str, value: object
) -> None:
    one, model = tmp_path / "one.json", tmp_path / "survival_calibration.json"
    one.write_text(json.dumps(a_calibration(**{name: value})))
    model.write_text(json.dumps({"checkpoint_best.pth": a_calibration(**{name: value})}))
    with pytest.raises(ValueError, match=rf"one\.json .*{name}"):
        read_calibration(one)
    with pytest.raises(ValueError, match=rf"survival_calibration\.json .*{name}"):
        read_model_calibrations(tmp_path)


def test_a_calibration_at_the_ends_of_its_range_gives_finite_curves(tmp_path: Path) -> None:
    curves = np.array([[1.0, 0.0], [0.5, 0.5], [1.0, 1.0]])
    for slope in (1e-6, MAX_SLOPE):
        for intercept in (-MAX_INTERCEPT, MAX_INTERCEPT):
            calibration = Calibration.from_dict(a_calibration(slope=slope, intercepts=[intercept] * 2))
            write_calibration(tmp_path / "a.json", calibration)
            assert read_calibration(tmp_path / "a.json") == calibration
            assert np.isfinite(calibration.apply(curves)).all()


@pytest.mark.parametrize("risk", [_NAN, _INF])
def test_predictions_with_a_risk_that_is_not_finite_are_not_written(tmp_path: Path, risk: float) -> None:
    with pytest.raises(ValueError, match="1 of 2 risks are not finite numbers, so nothing is written: b"):
        RiskPrediction(["a", "b"], np.array([1.0, risk])).write(tmp_path / "risk.csv")
    prob = np.array([[0.5, 0.5], [0.5, risk]])
    with np.errstate(invalid="ignore"), pytest.raises(ValueError, match="not finite numbers"):
        SurvivalPrediction(["a", "b"], prob, np.array([0.0, 1.0, 2.0])).write(tmp_path / "risk.csv")
    assert not list(tmp_path.iterdir())


def test_a_feature_beyond_any_input_is_named_with_its_case() -> None:
    scaling = Scaling(("volume", "age"), (0.0, 60.0), (1.0, 10.0), (0.0, 50.0), (9.0, 70.0))
    table = pd.DataFrame({"volume": [1.0, 1e300, np.nan], "age": [60.0, 61.0, np.inf]}, index=list("abc"))
    tables, model = CovariateTables(features=table), CovariateModel(features=scaling)
    with pytest.raises(
        ValueError, match="covariates of b are not finite numbers once they are scaled: volume"
    ):
        model.apply(tables, ["a", "b", "c"])
    assert model.apply(tables, ["c"])["c"].tolist() == [0, 0]  # what is missing or infinite is imputed


@pytest.mark.parametrize(
    "change",
    [{"weights": [_NAN]}, {"weights": [1e300]}, {"weights": ["1"]}, {"weights": [1.0, 2.0]}, {"names": [1]}],
)
def test_weights_of_impossible_values_are_refused(change: Mapping[str, Any]) -> None:
    assert LinearRisk.from_dict({"names": ["a"], "weights": [0.5]}) == LinearRisk(("a",), (0.5,))
    with pytest.raises(ValueError, match=r"weights|names"):
        LinearRisk.from_dict({"names": ["a"], "weights": [0.5], **change})


@pytest.mark.parametrize(
    "change",
    [{"means": [_NAN]}, {"deviations": [0.0]}, {"deviations": [_INF]}, {"means": []}, {"lowest": [None]}],
)
def test_scaling_by_impossible_values_is_refused(change: Mapping[str, Any]) -> None:
    plain = Scaling(("a",), (1.0,), (2.0,), (0.0,), (3.0,)).to_dict()
    assert Scaling.from_dict(plain).names == ("a",)
    with pytest.raises(ValueError, match=r"cannot be|not above 0|not 1 figures"):
        Scaling.from_dict(plain | change)


def test_a_damaged_statistical_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text('{"method": "unknown"}')
    with pytest.raises(
        ValueError, match=r"model\.json is damaged .*no method 'unknown'.* adamss_fit_statistical"
    ):
        FittedModel.load(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mirroring", "no"), ("epochs", True), ("epochs", 2.5), ("seed", "x"), ("n_intervals", None),
        ("interval_edges", ["0", "1"]), ("features_csv", "a.csv"), ("seg_trainer", None), ("masks_dir", 3),
    ],
)  # fmt: skip
def test_settings_of_another_kind_are_named_with_their_file(tmp_path: Path, name: str, value: object) -> None:
    (tmp_path / "survival_config.json").write_text(json.dumps({name: value}))
    with pytest.raises(ValueError, match=rf"survival_config\.json .*{name} cannot be"):
        SurvivalConfig.of_fold(tmp_path)


def a_patient(**changes: Any) -> PatientPrediction:
    fold = FoldPrediction([0.9, 0.5], tumour_found=True, share_of_mask=1.0, remarks=[])
    return PatientPrediction("a", {"0": fold}, **changes)


def test_a_radiomics_feature_that_has_no_value_is_kept_as_none() -> None:
    patient = a_patient(radiomics={"0": {"x": _NAN, "y": 1.5}})
    plain = patient.to_dict()
    assert plain["radiomics"] == {"0": {"x": None, "y": 1.5}}
    found = PatientPrediction.from_dict(json.loads(json.dumps(plain, allow_nan=False)))
    assert math.isnan(found.radiomics["0"]["x"]) and found.folds == patient.folds


@pytest.mark.parametrize("prob", [[_NAN, 0.5], [1.5, 0.5], ["1", 0.5], None])
def test_a_patient_with_a_probability_that_is_none_is_not_read(prob: object) -> None:
    plain = a_patient().to_dict()
    plain["folds"]["0"]["survival_prob"] = prob
    with pytest.raises(ValueError, match="survival_prob cannot be"):
        PatientPrediction.from_dict(plain)
