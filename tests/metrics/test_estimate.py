"""Intervals and P values over resamples, which are wider and larger the fewer events there are."""

import numpy as np
import pytest
from scipy.stats import norm, t

from nnunetv2_adamss.metrics.estimate import least_p, percentile_interval, tail_of_resamples, two_sided_p


def test_many_events_have_the_plain_percentile() -> None:
    assert tail_of_resamples(None) == pytest.approx(0.025)
    assert tail_of_resamples(10**7) == pytest.approx(0.025, abs=1e-6)
    assert tail_of_resamples(None, confidence=0.9) == pytest.approx(0.05)


def test_the_mean_of_few_normal_numbers_gets_students_interval() -> None:
    """Its resamples' spread is the standard deviation with n below the root; Student's interval has n - 1."""
    numbers = np.random.default_rng(0).normal(size=10)
    means = numbers.mean() + numbers.std() / np.sqrt(10) * norm.ppf(np.linspace(0, 1, 400_001)[1:-1])
    interval, _ = percentile_interval(means, "", n_events=10)
    expected = t.interval(0.95, 9, loc=numbers.mean(), scale=numbers.std(ddof=1) / np.sqrt(10))
    assert interval == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("n_events", [10, 15, 40])
def test_p_is_5_percent_at_the_tail_of_the_interval(n_events: int) -> None:
    n_resamples = 100_000
    n_beyond = round(tail_of_resamples(n_events) * n_resamples)
    resampled = np.where(np.arange(n_resamples) < n_beyond, -1.0, 1.0)
    assert two_sided_p(resampled, n_events) == pytest.approx(0.05, abs=1e-3)
    assert two_sided_p(-resampled, n_events) == two_sided_p(resampled, n_events)


def test_p_is_1_without_a_difference_and_never_0() -> None:
    assert two_sided_p(np.zeros(1000), 20) == 1
    assert two_sided_p(np.ones(1000), 20) == least_p(1000, 20) > 2 / 1001


def test_resamples_that_cannot_be_estimated_are_dropped_unless_they_are_most() -> None:
    resampled = np.array([np.nan, 1.0, 2.0, 3.0])
    assert percentile_interval(resampled, "are empty")[0] == pytest.approx((1.05, 2.95))
    assert percentile_interval(np.full(4, np.nan), "are empty") == (
        None,
        "no interval: 4 of 4 resamples are empty",
    )
