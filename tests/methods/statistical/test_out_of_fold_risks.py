"""Out-of-fold risks in the unit of new patients' risks, from files as two folds leave them."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from nnunetv2_adamss.methods.statistical.fitted_model import FittedModel
from nnunetv2_adamss.methods.statistical.out_of_fold_risks import out_of_fold_risks


def write_fold(model_folder: Path, number: int, predictions: str, **summary: object) -> Path:
    folder = model_folder / f"fold_{number}"
    (folder / "validation").mkdir(parents=True)
    (folder / "survival_summary.json").write_text(json.dumps({"settings": {}, **summary}))
    (folder / "validation" / "survival_predictions.csv").write_text(predictions)
    return folder


def test_times_of_a_network_end_where_the_curves_of_all_folds_do(tmp_path: Path) -> None:
    """Of b, half survive until 10 and a sixteenth until 40, so a quarter until 20: 10 * 0.5 + 10 * 0.25 days."""
    model = tmp_path / "AdaMSSSurvTrainer__nnUNetPlans__3d_fullres"
    for number, (case_id, end, curve) in enumerate((("a", 20, "0.8,0.4"), ("b", 40, "0.5,0.0625"))):
        table = f"case_id,risk_score,survival_at_10,survival_at_{end}\n{case_id},-1,{curve}\n"
        folder = write_fold(model, number, table, interval_edges=[0, 10, end])
        (folder / "validation" / "survival_predictions_best.csv").write_text(table)
        (folder / "checkpoint_best.pth").touch()
    found = out_of_fold_risks(model, [0, 1], "best")
    assert list(found.case_ids) == ["a", "b"]
    assert found.risk_score == pytest.approx([-12, -7.5])
    with pytest.raises(ValueError, match=r"Fold 0, 1 of .* has no validation/survival_predictions_last\.csv"):
        out_of_fold_risks(model, [0, 1], "last")


def test_risks_of_a_statistical_method_are_in_standard_deviations_of_each_folds_training_cases(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "ICARE__nnUNetPlans__3d_fullres"
    for number, rows in enumerate(("b,14\na,9", "c,3")):
        (write_fold(model, number, f"case_id,risk_score\n{rows}\n") / "model.json").touch()
    fitted = {
        "fold_0": SimpleNamespace(mean_risk=10.0, risk_deviation=2.0),
        "fold_1": SimpleNamespace(mean_risk=1.0, risk_deviation=0.0),  # of equal risks
    }
    monkeypatch.setattr(FittedModel, "load", lambda folder: fitted[folder.name])
    found = out_of_fold_risks(model, [1, 0], "best")
    assert dict(zip(found.case_ids, found.risk_score.tolist(), strict=True)) == {"b": 2, "a": -0.5, "c": 2}
