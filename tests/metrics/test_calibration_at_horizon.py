"""Calibration in groups, of predictions that are known to be right or wrong."""

import numpy as np
import pytest

from nnunetv2_adamss.metrics.calibration_at_horizon import calibration_in_cohort
from nnunetv2_adamss.metrics.resampling import ResampledCohort
from nnunetv2_adamss.metrics.survival_curves import PredictedCurves

HORIZON = 500.0


def exponential_cohort(
    n_cases: int, factor: float = 1.0, seed: int = 0
) -> tuple[PredictedCurves, ResampledCohort]:
    """Patients with rates of their own, predicted with these rates times a factor."""
    rng = np.random.default_rng(seed)
    rate = np.exp(rng.normal(-7, 0.7, n_cases))
    death, censoring = rng.exponential(1 / rate), rng.uniform(200, 2000, n_cases)
    curves = PredictedCurves.from_columns(np.array([HORIZON]), np.exp(-factor * rate * HORIZON)[:, None])
    return curves, ResampledCohort(death <= censoring, np.minimum(death, censoring), n_resamples=0)


def test_true_risks_lie_within_the_intervals_as_often_as_these_say() -> None:
    inside, overall = [], []
    for seed in range(25):
        found = calibration_in_cohort(*exponential_cohort(600, seed=seed), HORIZON)
        predicted = [group.predicted for group in found.groups]
        assert sum(group.n_patients for group in found.groups) == 600
        assert predicted == sorted(predicted)
        inside += [g.observed.interval[0] <= g.predicted <= g.observed.interval[1] for g in found.groups]
        overall.append(found.observed_to_predicted.interval[0] < 1 < found.observed_to_predicted.interval[1])
    assert 0.92 <= np.mean(inside) <= 0.98
    assert np.mean(overall) >= 0.88


def test_risks_of_double_rates_are_found_to_be_too_high() -> None:
    found = calibration_in_cohort(*exponential_cohort(4000, factor=2.0), HORIZON)
    assert found.observed_to_predicted.interval[1] < 0.8
    assert all(group.observed.value < group.predicted for group in found.groups)


def test_without_censoring_the_observed_risk_is_a_share_of_patients() -> None:
    time = np.concatenate([np.arange(1.0, 41.0), np.full(60, 900.0)])
    curves = PredictedCurves.from_columns(np.array([HORIZON]), np.repeat([0.4, 0.8], 50)[:, None])
    found = calibration_in_cohort(
        curves, ResampledCohort(np.ones(100, dtype=bool), time, n_resamples=0), HORIZON
    )
    assert [(g.n_patients, g.predicted, g.observed.value) for g in found.groups] == [
        (50, pytest.approx(0.2), pytest.approx(0.0)),
        (50, pytest.approx(0.6), pytest.approx(0.8)),
    ]
    assert found.observed_to_predicted.value == pytest.approx(1)


def test_there_is_a_group_for_every_ten_events() -> None:
    curves, cohort = exponential_cohort(150)
    n_events = (cohort.event & (cohort.time <= HORIZON)).sum()
    assert 20 <= n_events < 100
    assert len(calibration_in_cohort(curves, cohort, HORIZON).groups) == n_events // 10


def test_however_many_events_there_are_ten_groups_of_equal_size() -> None:
    curves, cohort = exponential_cohort(4000)
    assert (cohort.event & (cohort.time <= HORIZON)).sum() > 200
    assert [group.n_patients for group in calibration_in_cohort(curves, cohort, HORIZON).groups] == [400] * 10


def test_a_group_that_is_not_followed_up_to_the_horizon_has_a_reason() -> None:
    # The low risks leave at 100, one more than a tenth of all others stay.
    time = np.concatenate([np.full(20, 100.0), np.arange(1.0, 41.0), np.full(60, 900.0)])
    event = np.concatenate([np.zeros(20, dtype=bool), np.ones(40, dtype=bool), np.zeros(60, dtype=bool)])
    probability = np.concatenate([np.full(20, 0.99), np.full(100, 0.5)])
    curves = PredictedCurves.from_columns(np.array([HORIZON]), probability[:, None])
    groups = calibration_in_cohort(curves, ResampledCohort(event, time, n_resamples=0), HORIZON).groups
    assert groups[0].observed.value is None
    assert groups[0].observed.reason == "no patient of the group is under observation after 100"


@pytest.mark.parametrize(
    ("horizon", "reason"),
    [
        (1e6, "beyond follow-up"),
        (600.0, "beyond the predicted curves, which end at 500"),
        (1.0, "events until then, at least 10 are needed"),
    ],
)
def test_a_horizon_without_an_estimate_has_a_reason_and_no_numbers(horizon: float, reason: str) -> None:
    found = calibration_in_cohort(*exponential_cohort(300), horizon)
    assert found.reason is not None and reason in found.reason
    assert found.predicted is None and found.groups == []
    assert found.observed.value is None and found.observed_to_predicted.value is None
