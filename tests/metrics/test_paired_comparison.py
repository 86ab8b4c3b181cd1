"""Paired comparison of two risk scores, and Holm's correction."""

import numpy as np
import pytest

from nnunetv2_adamss.metrics.concordance import harrell_c
from nnunetv2_adamss.metrics.estimate import tail_of_resamples
from nnunetv2_adamss.metrics.paired_comparison import compare, holm
from nnunetv2_adamss.metrics.resampling import ResampledCohort
from tests.metrics.cohorts import random_cohort


def test_a_score_does_not_differ_from_itself() -> None:
    risk_score, event, time = random_cohort(80)
    found = compare(risk_score, 3 * risk_score + 1, ResampledCohort(event, time, n_resamples=200))
    assert (found.difference.value, found.difference.interval, found.p_value) == (0, (0, 0), 1)


def test_the_difference_and_its_interval_are_of_the_same_resamples() -> None:
    risk_score, event, time = random_cohort(60)
    other = np.random.default_rng(1).normal(size=60)
    cohort = ResampledCohort(event, time, n_resamples=4)
    found = compare(risk_score, other, cohort)
    differences = []
    for count in cohort.counts.astype(int):
        drawn = [np.repeat(values, count) for values in (risk_score, other, event, time)]
        first, second = (harrell_c(score, drawn[2], drawn[3]).c_index for score in drawn[:2])
        differences.append(first - second)
    assert found.difference.value == pytest.approx(differences[0])
    n_events = (event & (time < time.max())).sum()
    tail = tail_of_resamples(n_events)
    assert 0.015 < tail < 0.025
    assert found.difference.interval == pytest.approx(tuple(np.quantile(differences[1:], [tail, 1 - tail])))


def test_a_score_that_knows_the_truth_beats_noise_and_the_other_way_round() -> None:
    risk_score, event, time = random_cohort(200)
    noise = np.random.default_rng(1).normal(size=200)
    cohort = ResampledCohort(event, time)
    better, worse = compare(risk_score, noise, cohort), compare(noise, risk_score, cohort)
    # 2 / 1001, were there no end of events.
    assert better.p_value == worse.p_value == pytest.approx(2 / 1001, rel=0.3)
    assert better.is_bound and worse.is_bound
    assert better.difference.value == -worse.difference.value > 0


def test_two_scores_of_noise_differ_at_5_percent_about_as_often() -> None:
    rng = np.random.default_rng(0)
    p_values = []
    for seed in range(300):
        _, event, time = random_cohort(80, seed)
        first, second = rng.normal(size=(2, 80))
        p_values.append(compare(first, second, ResampledCohort(event, time, n_resamples=200)).p_value)
    assert 0.02 <= np.mean(np.array(p_values) < 0.05) <= 0.09


@pytest.mark.parametrize("n_cases", [20, 60])
def test_p_is_under_5_percent_exactly_where_the_interval_leaves_zero_out(n_cases: int) -> None:
    is_small, leaves_out = [], []
    for seed in range(60):
        risk_score, _, time = random_cohort(n_cases, seed)
        noise = risk_score + np.random.default_rng(seed).normal(0, 2, n_cases)
        cohort = ResampledCohort(np.ones(n_cases, dtype=bool), time, n_resamples=2000)
        found = compare(risk_score, noise, cohort)
        if abs(found.p_value - 0.05) > 0.005:  # the resolution of shares of resamples
            is_small.append(found.p_value < 0.05)
            leaves_out.append(found.difference.interval[0] > 0 or found.difference.interval[1] < 0)
    assert is_small == leaves_out
    assert 1 < sum(is_small) < 55


def test_too_few_events_and_scores_that_are_not_finite_have_a_reason_and_no_number() -> None:
    event, time = np.ones(5, dtype=bool), np.arange(1.0, 6.0)
    few = compare(time, -time, ResampledCohort(event, time, n_resamples=10))
    assert (few.difference.value, few.p_value) == (None, None)
    assert few.difference.reason == "not estimable: only 4 events in comparable pairs, at least 10 are needed"
    faulty = compare(np.full(5, np.nan), time, ResampledCohort(event, time, n_resamples=10))
    assert faulty.difference.reason == "not estimable: 5 of 5 risk scores are not finite"


@pytest.mark.parametrize(
    ("p_values", "corrected"),
    [
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),
        ([0.02, None, 0.5], [0.04, None, 0.5]),
        ([0.6, 0.9], [1.0, 1.0]),
        ([], []),
    ],
)
def test_holms_correction_computed_by_hand(p_values: list, corrected: list) -> None:
    assert holm(p_values) == pytest.approx(corrected)
