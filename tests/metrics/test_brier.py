"""Brier scores by hand, against scikit-survival on real tables, and against the Kaplan-Meier curve."""

from pathlib import Path

import numpy as np
import pytest
from lifelines import KaplanMeierFitter
from sksurv.metrics import brier_score as sksurv_brier
from sksurv.metrics import integrated_brier_score as sksurv_integrated

from nnunetv2_adamss.metrics.brier import (
    brier_score_in_cohort,
    brier_scores,
    integrated_brier_score_in_cohort,
    mean_over_times,
)
from nnunetv2_adamss.metrics.resampling import ResampledCohort
from nnunetv2_adamss.metrics.survival_curves import PredictedCurves
from tests.metrics.cohorts import REAL, TIMES, random_cohort


def straight_curves(n_cases: int, end: float = 3000.0) -> PredictedCurves:
    """For everybody a line from 1 at 0 to 0 at the end."""
    return PredictedCurves(np.array([0.0, end]), np.tile([1.0, 0.0], (n_cases, 1)))


def test_five_patients_computed_by_hand() -> None:
    # One of four is censored at 2, so the three left stand for four thirds each.
    event, time = np.array([True, False, True, True, True]), np.array([1.0, 2.0, 3.0, 5.0, 6.0])
    cohort = ResampledCohort(event, time, n_resamples=0)
    predicted = np.array([[0.2], [0.9], [0.4], [0.7], [0.6]])
    expected = (0.2**2 + 4 / 3 * (0.4**2 + 0.3**2 + 0.4**2)) / 5
    assert brier_scores(predicted, cohort, np.array([4.0]))[0, 0] == pytest.approx(expected)


@pytest.mark.parametrize("name", REAL)
def test_it_equals_scikit_survival_once_the_censored_leave_after_the_dead(real_data: Path, name: str) -> None:
    cohort = REAL[name](real_data)
    outcomes = cohort.oracle_outcomes(later_days=1e-4)
    found = brier_scores(cohort.survival_prob, cohort.cohort, TIMES + 0.5)
    expected = sksurv_brier(outcomes, outcomes, cohort.survival_prob, TIMES + 0.5)[1]
    assert found[0] == pytest.approx(expected, abs=1e-6)
    integrated = sksurv_integrated(outcomes, outcomes, cohort.survival_prob, TIMES + 0.5)
    assert mean_over_times(found, TIMES + 0.5)[0] == pytest.approx(integrated, abs=1e-6)


def test_without_censoring_it_is_the_mean_squared_error() -> None:
    _, _, time = random_cohort(100)
    cohort = ResampledCohort(np.ones(100, dtype=bool), time, n_resamples=0)
    curves = straight_curves(100)
    found = brier_scores(curves.at(np.array([600.0])), cohort, np.array([600.0]))
    assert found[0, 0] == pytest.approx(np.mean(((time > 600) - 0.8) ** 2))


def test_the_kaplan_meier_curve_itself_has_no_skill() -> None:
    _, event, time = random_cohort(200)
    observed = KaplanMeierFitter().fit(time, event).predict(500.0)
    curves = PredictedCurves(np.array([0.0, 500.0]), np.tile([1.0, observed], (200, 1)))
    found = brier_score_in_cohort(curves, ResampledCohort(event, time, n_resamples=50), 500.0)
    assert found.skill.value == pytest.approx(0, abs=1e-12)
    assert found.kaplan_meier.value == pytest.approx(found.score.value)


def test_the_interval_holds_the_score_and_is_of_resamples() -> None:
    _, event, time = random_cohort(80)
    cohort = ResampledCohort(event, time, n_resamples=3)
    found = brier_score_in_cohort(straight_curves(80), cohort, 500.0).score
    expected = [
        brier_scores(
            straight_curves(80).at(np.array([500.0])),
            ResampledCohort(np.repeat(event, count), np.repeat(time, count), n_resamples=0),
            np.array([500.0]),
        )[0, 0]
        for count in cohort.counts[1:].astype(int)
    ]
    assert found.interval == pytest.approx(tuple(np.quantile(expected, [0.025, 0.975])))


def test_the_integral_goes_from_0_to_the_end_of_the_curves_or_of_the_follow_up() -> None:
    _, event, time = random_cohort(200)
    cohort = ResampledCohort(event, time, n_resamples=5)
    short, long = (
        integrated_brier_score_in_cohort(straight_curves(200, end), cohort)
        for end in (700.0, 10 * time.max())
    )
    assert (short.start, short.end) == (0, 700)
    assert 0.98 * cohort.follow_up_limit < long.end < cohort.follow_up_limit
    grid = np.linspace(0, 700, 4001)
    fine = brier_scores(straight_curves(200, 700.0).at(grid), cohort, grid)[:1]
    assert short.score.value == pytest.approx(np.trapezoid(fine[0], grid) / 700, abs=2e-3)


@pytest.mark.parametrize(
    ("horizon", "reason"),
    [(5000.0, "beyond follow-up"), (800.0, "beyond the predicted curves"), (1.0, "only 0 events until then")],
)
def test_a_horizon_without_an_estimate_has_a_reason_and_no_number(horizon: float, reason: str) -> None:
    _, event, time = random_cohort(100)
    cohort = ResampledCohort(event, np.maximum(time, 2), n_resamples=5)
    found = brier_score_in_cohort(straight_curves(100, 750.0), cohort, horizon)
    assert found.score.value is None and found.skill.value is None
    assert found.score.reason is not None and reason in found.score.reason


def test_a_resample_without_patients_under_observation_has_no_score() -> None:
    # Of the first patient alone, who is censored at 1, nothing is known at 5.
    event, time = np.array([False, True, False]), np.array([1.0, 3.0, 9.0])
    cohort = ResampledCohort(event, time, n_resamples=200)
    # lifelines switches NumPy's warnings off for the whole process.
    with np.errstate(divide="raise", invalid="raise"):
        found = brier_scores(np.full((3, 1), 0.5), cohort, np.array([5.0]))[:, 0]
    only_first = cohort.counts[:, 0] == 3
    assert 0 < only_first.sum() < 30
    np.testing.assert_array_equal(np.isnan(found), only_first)
