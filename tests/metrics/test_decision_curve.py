"""Net benefit: by its definition without censoring, by Kaplan-Meier of the treated elsewhere."""

import numpy as np
import pytest
from lifelines import KaplanMeierFitter

from nnunetv2_adamss.metrics.decision_curve import decision_curve
from nnunetv2_adamss.metrics.resampling import ResampledCohort
from nnunetv2_adamss.metrics.survival_curves import PredictedCurves
from tests.metrics.cohorts import random_cohort

HORIZON = 700.0


def curves_with_risk(risk: np.ndarray) -> PredictedCurves:
    return PredictedCurves.from_columns(np.array([HORIZON]), 1 - risk[:, None])


def predicted_risk(risk_score: np.ndarray) -> np.ndarray:
    return np.clip(1 / (1 + np.exp(-risk_score - 6)), 0.001, 0.999)


def test_without_censoring_it_is_true_less_weighted_false_positives() -> None:
    risk_score, _, time = random_cohort(300)
    risk = predicted_risk(risk_score)
    cohort = ResampledCohort(np.ones(300, dtype=bool), time, n_resamples=0)
    found = decision_curve(curves_with_risk(risk), cohort, HORIZON)
    dead = time <= HORIZON
    for threshold, benefit, all_treated in zip(
        found.thresholds, found.net_benefit, found.treat_all, strict=True
    ):
        odds = threshold / (1 - threshold)
        treated = 1 - (1 - risk) >= threshold
        expected = ((dead & treated).sum() - odds * (~dead & treated).sum()) / 300
        assert benefit == pytest.approx(expected)
        assert all_treated == pytest.approx((dead.sum() - odds * (~dead).sum()) / 300)


def test_with_censoring_the_deaths_among_the_treated_are_by_kaplan_meier() -> None:
    risk_score, event, time = random_cohort(300)
    risk = predicted_risk(risk_score)
    found = decision_curve(curves_with_risk(risk), ResampledCohort(event, time, n_resamples=0), HORIZON)
    place = found.thresholds.index(0.3)
    treated = 1 - (1 - risk) >= 0.3
    dead = 1 - KaplanMeierFitter().fit(time[treated], event[treated]).predict(HORIZON)
    assert found.net_benefit[place] == pytest.approx(treated.mean() * (dead - (1 - dead) * 0.3 / 0.7))


def test_a_threshold_that_treats_no_patient_has_no_benefit_and_one_without_follow_up_is_unknown() -> None:
    time = np.append(np.linspace(1, 1400, 100), 10.0)
    event = np.append(np.ones(100, dtype=bool), False)
    curves = curves_with_risk(np.append(np.full(100, 0.5), 0.805))
    found = decision_curve(curves, ResampledCohort(event, time, n_resamples=0), HORIZON)
    at = dict(zip(found.thresholds, found.net_benefit, strict=True))
    assert at[0.9] == 0
    assert at[0.8] is None  # treats only the patient who was censored at 10
    assert at[0.5] is not None


def test_a_horizon_beyond_follow_up_has_a_reason() -> None:
    _, event, time = random_cohort(100)
    found = decision_curve(curves_with_risk(np.full(100, 0.5)), ResampledCohort(event, time), 1e6)
    assert found.thresholds == [] and found.reason is not None


def test_a_horizon_beyond_the_predicted_curves_and_one_before_ten_events_have_a_reason() -> None:
    _, event, time = random_cohort(100)
    cohort = ResampledCohort(event, time, n_resamples=0)
    curves = curves_with_risk(np.full(100, 0.5))
    for horizon, reason in ((HORIZON + 1, "beyond the predicted curves"), (1.0, "events until then")):
        found = decision_curve(curves, cohort, horizon)
        assert found.thresholds == [] and found.reason is not None and reason in found.reason
