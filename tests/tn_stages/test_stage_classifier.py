"""The classifier of a stage, compared with scikit-learn's own, and what it does with few cases."""

import json
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from nnunetv2_adamss.survival.cohort.description import CATEGORY, NUMBER, ColumnType
from nnunetv2_adamss.tn_stages import stage_classifier
from nnunetv2_adamss.tn_stages.stage_classifier import StageClassifier

TYPES: Mapping[str, ColumnType] = {"age": ColumnType(NUMBER), "hpv": ColumnType(CATEGORY)}


def cohort(n: int = 120, classes: tuple[str, ...] = ("N0", "N1", "N2")) -> tuple[pd.DataFrame, ...]:
    """Lesions whose number goes with the stage, and clinical columns that do not."""
    rng = np.random.default_rng(0)
    case_ids = [f"case_{i:03d}" for i in range(n)]
    stage = rng.integers(len(classes), size=n)
    lesions = pd.DataFrame(
        {"GTVn_log_lesions": stage + rng.normal(0, 0.7, n), "GTVn_log_ml": rng.normal(3, 1, n)}, case_ids
    )
    clinical = pd.DataFrame(
        {"age": rng.normal(60, 9, n), "hpv": rng.choice(["0", "1"], n, p=[0.7, 0.3])}, case_ids
    )
    return pd.Series(np.array(classes)[stage], case_ids), lesions, clinical


@pytest.mark.parametrize("classes", [("N0", "N1"), ("N0", "N1", "N2")])
def test_its_probabilities_are_those_of_scikit_learn(
    monkeypatch: pytest.MonkeyPatch, classes: tuple[str, ...]
) -> None:
    monkeypatch.setattr(stage_classifier, "_STRENGTHS", (0.5,))
    stages, lesions, clinical = cohort(classes=classes)
    found = StageClassifier.fit(stages, lesions, clinical, TYPES).probabilities(lesions, clinical)
    other = make_pipeline(StandardScaler(), LogisticRegression(C=0.5, class_weight="balanced", max_iter=1000))
    inputs = lesions.assign(age=clinical["age"], hpv=clinical["hpv"] == "1")
    expected = other.fit(inputs.to_numpy(float), stages).predict_proba(inputs.to_numpy(float))
    assert list(found) == list(classes)
    np.testing.assert_allclose(found.to_numpy(), expected, atol=1e-3)


def test_it_is_the_same_after_a_journey_through_json() -> None:
    stages, lesions, clinical = cohort()
    fitted = StageClassifier.fit(stages, lesions, clinical, TYPES)
    plain = json.loads(json.dumps(fitted.to_dict()))
    assert list(plain["coefficients"]["N2"]) == ["GTVn_log_lesions", "GTVn_log_ml", "age", "hpv=1"]
    again = StageClassifier.from_dict(plain)
    pd.testing.assert_frame_equal(
        again.probabilities(lesions, clinical), fitted.probabilities(lesions, clinical)
    )
    del plain["coefficients"]["N2"]["age"]
    with pytest.raises(KeyError, match="age"):
        StageClassifier.from_dict(plain)


def test_it_finds_the_stages_that_the_lesions_tell_apart() -> None:
    stages, lesions, clinical = cohort()
    predicted = StageClassifier.fit(stages, lesions, clinical, TYPES).predict(lesions, clinical)
    assert (predicted == stages).mean() > 0.6


def test_a_missing_clinical_value_counts_as_a_usual_one() -> None:
    stages, lesions, clinical = cohort()
    fitted = StageClassifier.fit(stages, lesions, clinical, TYPES)
    gaps = fitted.probabilities(
        lesions[:1], pd.DataFrame({"age": [np.nan], "hpv": [np.nan]}, lesions.index[:1])
    )
    usual = pd.DataFrame({"age": [clinical["age"].median()], "hpv": ["0"]}, lesions.index[:1])
    pd.testing.assert_frame_equal(gaps, fitted.probabilities(lesions[:1], usual))


def test_a_stage_of_few_cases_is_never_predicted() -> None:
    stages, lesions, clinical = cohort()
    stages.iloc[:4] = "N3"
    fitted = StageClassifier.fit(stages, lesions, clinical, TYPES)
    assert fitted.classes == ("N0", "N1", "N2")


def test_too_few_cases_of_each_stage_are_a_sentence() -> None:
    stages, lesions, clinical = cohort(8, ("T1", "T2"))
    stages[:] = ["T1"] * 6 + ["T2"] * 2
    with pytest.raises(
        ValueError, match=r"^At least two stages need 5 training cases each.*found T1: 6, T2: 2\.$"
    ):
        StageClassifier.fit(stages, lesions, clinical, TYPES)


def test_cases_that_differ_in_nothing_cannot_be_told_apart() -> None:
    stages, lesions, clinical = cohort()
    with pytest.raises(ValueError, match="the training cases differ in no column"):
        StageClassifier.fit(stages, lesions[[]], clinical[[]], {})
