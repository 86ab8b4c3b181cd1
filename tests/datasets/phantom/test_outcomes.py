"""Outcomes against hand-computed values and against lifelines' own estimators."""

import numpy as np
import pytest
from lifelines import CoxPHFitter, WeibullFitter

from nnunetv2_adamss.datasets.phantom.outcomes import (
    censoring_scale,
    linear_predictor,
    observe,
    oracle_c_index,
    weibull_times,
)
from nnunetv2_adamss.datasets.phantom.phantom_config import DEFAULT_LOG_HAZARD_RATIO
from nnunetv2_adamss.datasets.phantom.signals import SIGNALS, draw_signals, standardise


def test_the_median_of_a_hand_computed_weibull_time_is_right() -> None:
    # S(t) = exp(-(t/1000)^2) = 1/2 at t = 1000 sqrt(ln 2); with shape 2 a hazard ratio of 4 halves the time.
    times = weibull_times(np.array([0.0, np.log(4.0)]), np.array([0.5, 0.5]), shape=2.0, scale_days=1000.0)
    np.testing.assert_allclose(times, [832.554611, 416.277306], rtol=1e-8)


def test_a_weibull_fit_recovers_shape_and_scale() -> None:
    uniform = 1 - np.random.default_rng(0).random(20_000)
    fit = WeibullFitter().fit(weibull_times(np.zeros(20_000), uniform, shape=1.3, scale_days=1500.0))
    assert fit.rho_ == pytest.approx(1.3, rel=0.03)
    assert fit.lambda_ == pytest.approx(1500.0, rel=0.03)


def test_cox_regression_on_the_true_signals_recovers_every_log_hazard_ratio() -> None:
    rng = np.random.default_rng(1)
    signals = draw_signals(6000, rng)
    risk = linear_predictor(signals, DEFAULT_LOG_HAZARD_RATIO, SIGNALS)
    event_time = weibull_times(risk, 1 - rng.random(6000), 1.3, 1500.0)
    uniform = rng.uniform(0.15, 1.0, 6000)
    event, time = observe(event_time, censoring_scale(event_time, uniform, 0.6) * uniform)
    table = standardise(signals).assign(event=event, time=time)
    fit = CoxPHFitter().fit(table, "time", "event")
    for name in SIGNALS:
        assert fit.params_[name] == pytest.approx(DEFAULT_LOG_HAZARD_RATIO[name], abs=0.09)


@pytest.mark.parametrize("name", SIGNALS)
def test_one_signal_switched_on_is_the_only_one_that_moves_the_risk(name: str) -> None:
    signals = draw_signals(40, np.random.default_rng(2))
    risk = linear_predictor(signals, DEFAULT_LOG_HAZARD_RATIO, [name])
    np.testing.assert_allclose(risk, DEFAULT_LOG_HAZARD_RATIO[name] * standardise(signals)[name])


@pytest.mark.parametrize("fraction", [0.0, 0.25, 0.6, 0.95])
def test_the_asked_share_of_patients_is_censored(fraction: float) -> None:
    rng = np.random.default_rng(4)
    event_time, uniform = rng.weibull(1.3, 200) * 1500, 1 - rng.random(200)
    event, time = observe(event_time, censoring_scale(event_time, uniform, fraction) * uniform)
    assert np.mean(event == 0) == pytest.approx(fraction)
    assert (time > 0).all() and set(event) <= {0, 1}


def test_a_tiny_cohort_can_be_censored_altogether() -> None:
    scale = censoring_scale(np.array([10.0]), np.array([0.5]), 0.9)
    event, _ = observe(np.array([10.0]), scale * np.array([0.5]))
    assert event.tolist() == [0]


def test_a_null_cohort_has_an_oracle_c_index_of_exactly_one_half() -> None:
    signals = draw_signals(50, np.random.default_rng(6))
    time = np.random.default_rng(7).uniform(1, 100, 50)
    risk = linear_predictor(signals, DEFAULT_LOG_HAZARD_RATIO, [])
    assert oracle_c_index(risk, np.ones(50, int), time) == 0.5


def test_higher_risk_with_an_earlier_event_counts_as_concordant() -> None:
    # Pairs that can be compared: (1, 2), (1, 3), (2, 3); the risks get the last one wrong.
    c_index = oracle_c_index(np.array([3.0, 1.0, 2.0]), np.array([1, 1, 0]), np.array([1.0, 2.0, 3.0]))
    assert c_index == pytest.approx(2 / 3)


def test_no_comparable_pair_gives_nan() -> None:
    assert np.isnan(oracle_c_index(np.array([1.0, 2.0]), np.array([0, 0]), np.array([1.0, 2.0])))
