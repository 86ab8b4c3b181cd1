"""Settings of metrics: one number within its range, or a sentence that says what it must be."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nnunetv2_adamss as adamss
from nnunetv2_adamss.metrics.resampling import ResampledCohort
from nnunetv2_adamss.metrics.settings import check_settings
from tests.metrics.cohorts import random_cohort

RISK_SCORE, EVENT, TIME = random_cohort(60)
COLUMNS = (RISK_SCORE, EVENT, TIME)
SURVIVAL = (np.full(60, 0.5), EVENT, TIME)

# Every way in which a setting reaches a metric.
METRICS: dict[str, list[Callable[[Any], Any]]] = {
    "horizon": [
        lambda value: adamss.brier_score(*SURVIVAL, value, n_resamples=0),
        lambda value: adamss.calibration(*SURVIVAL, value),
        lambda value: adamss.cumulative_dynamic_auc(*COLUMNS, value, n_resamples=0),
    ],
    "truncation_time": [lambda value: adamss.uno_c(*COLUMNS, value, n_resamples=0)],
    "n_resamples": [
        lambda value: ResampledCohort(EVENT, TIME, n_resamples=value),
        lambda value: adamss.bootstrap_harrell_c(*COLUMNS, n_resamples=value),
        lambda value: adamss.uno_c(*COLUMNS, n_resamples=value),
        lambda value: adamss.cumulative_dynamic_auc(*COLUMNS, 500, n_resamples=value),
        lambda value: adamss.brier_score(*SURVIVAL, 500, n_resamples=value),
        lambda value: adamss.integrated_brier_score(*SURVIVAL, 500, n_resamples=value),
    ],
    "seed": [
        lambda value: ResampledCohort(EVENT, TIME, n_resamples=1, seed=value),
        lambda value: adamss.bootstrap_harrell_c(*COLUMNS, n_resamples=1, seed=value),
    ],
    "confidence": [lambda value: adamss.bootstrap_harrell_c(*COLUMNS, n_resamples=1, confidence=value)],
    "most_groups": [lambda value: adamss.calibration(*SURVIVAL, 500, most_groups=value)],
}
NO_NUMBERS = [[500], "500", pd.Series([500]), np.array([500]), np.nan, -1, True]
FAULTY: dict[str, list[Any]] = {
    "horizon": [*NO_NUMBERS, None, 0, np.inf],
    "truncation_time": [*NO_NUMBERS, 0],
    "n_resamples": [*NO_NUMBERS, None, 2.5, np.inf],
    "seed": [*NO_NUMBERS, 2.5],
    "confidence": [*NO_NUMBERS, None, 0, 1, 95],
    "most_groups": [*NO_NUMBERS, None, 0, 2.5],
}


@pytest.mark.parametrize("name", METRICS)
def test_what_is_no_number_or_out_of_range_is_refused_by_every_metric(name: str) -> None:
    for metric in METRICS[name]:
        for value in FAULTY[name]:
            with pytest.raises(ValueError, match=f"'{name}' must be .*number.*, but is "):
                metric(value)


def test_the_sentence_says_what_the_number_must_be_and_is() -> None:
    with pytest.raises(
        ValueError, match=r"^'confidence' must be a number between 0 and 1, such as 0.95, but is 95\.$"
    ):
        check_settings(confidence=95)
    with pytest.raises(
        ValueError, match=r"^'n_resamples' must be a whole number of at least 0, but is 2\.5\.$"
    ):
        check_settings(n_resamples=2.5)
    with pytest.raises(ValueError, match=r"^'horizon' must be a finite number above 0, but is a Series\.$"):
        check_settings(horizon=pd.Series([1, 2]))


def test_numbers_of_numpy_are_numbers() -> None:
    assert check_settings(horizon=np.array(30.0), n_resamples=np.int64(5), seed=0) == (30.0, 5, 0)
    found = adamss.cumulative_dynamic_auc(*COLUMNS, np.float64(500), n_resamples=np.int64(5))
    assert found == adamss.cumulative_dynamic_auc(*COLUMNS, 500, n_resamples=5)


def test_an_infinite_truncation_time_lets_every_event_count() -> None:
    found = adamss.uno_c(*COLUMNS, np.inf, n_resamples=0)
    assert found.n_pairs == adamss.harrell_c(*COLUMNS).n_pairs


def test_without_resamples_there_is_a_value_and_no_interval() -> None:
    found = adamss.bootstrap_harrell_c(*COLUMNS, n_resamples=0)
    assert (found.c_index, found.interval) == (adamss.harrell_c(*COLUMNS).c_index, None)
    assert found.reason == "no interval: no resamples were drawn"
