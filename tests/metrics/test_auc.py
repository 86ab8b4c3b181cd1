"""Time-dependent AUC against scikit-survival on real tables, and where it has none."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from sklearn.metrics import roc_auc_score
from sksurv.metrics import cumulative_dynamic_auc as sksurv_auc

from nnunetv2_adamss.metrics.auc import auc_in_cohort
from nnunetv2_adamss.metrics.resampling import ResampledCohort
from tests.metrics.cohorts import REAL, TIMES, random_cohort, tied_cohorts


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("round_to", [None, 1])
def test_it_equals_scikit_survival_once_the_censored_leave_after_the_dead(
    real_data: Path, name: str, round_to: int | None
) -> None:
    cohort = REAL[name](real_data)
    risk_score = cohort.risk_score if round_to is None else cohort.risk_score.round(round_to)
    outcomes = cohort.oracle_outcomes(later_days=1e-4)
    expected, _ = sksurv_auc(outcomes, outcomes, risk_score, TIMES + 0.5)
    found = [auc_in_cohort(risk_score, cohort.cohort, time + 0.5) for time in TIMES]
    n_events = [(cohort.event & (cohort.time <= time + 0.5)).sum() for time in TIMES]
    assert [one.value is None for one in found] == [n < 10 for n in n_events]
    pairs = [(one.value, of_oracle) for one, of_oracle in zip(found, expected, strict=True) if one.value]
    assert len(pairs) >= 2
    assert [ours for ours, _ in pairs] == pytest.approx([theirs for _, theirs in pairs], abs=1e-6)


def test_without_censoring_it_is_the_area_under_the_roc_curve() -> None:
    risk_score, _, time = random_cohort(200)
    cohort = ResampledCohort(np.ones(200, dtype=bool), time, n_resamples=0)
    found = auc_in_cohort(risk_score, cohort, 700.0)
    assert found.value == pytest.approx(roc_auc_score(time <= 700, risk_score))
    assert found.n_pairs == (time <= 700).sum() * (time > 700).sum()


@given(tied_cohorts())
def test_patients_of_other_folds_are_no_controls(cohort) -> None:
    risk_score, event, time, fold = cohort
    resampled = ResampledCohort(event, time, fold, n_resamples=0)
    found = auc_in_cohort(risk_score, resampled, 4)
    expected = sum(
        ((time <= 4) & event & (fold == number)).sum() * ((time > 4) & (fold == number)).sum()
        for number in np.unique(fold)
    )
    assert found.n_pairs == (0 if resampled.beyond_follow_up(4) else expected)


def test_a_horizon_beyond_follow_up_has_a_reason_and_no_number() -> None:
    risk_score, event, time = random_cohort(100)
    found = auc_in_cohort(risk_score, ResampledCohort(event, time, n_resamples=10), 1e6)
    assert (found.value, found.interval, found.horizon) == (None, None, 1e6)
    assert found.reason is not None and found.reason.startswith("beyond follow-up: from ")


def test_risk_scores_that_are_not_finite_have_a_reason_and_no_number() -> None:
    _, event, time = random_cohort(100)
    found = auc_in_cohort(np.full(100, np.inf), ResampledCohort(event, time, n_resamples=10), 500)
    assert found.value is None
    assert found.reason == "not estimable: 100 of 100 risk scores are not finite"
