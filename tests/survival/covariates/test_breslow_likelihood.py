"""The partial likelihood, computed by hand and by lifelines."""

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter

from nnunetv2_adamss.survival.covariates.breslow_likelihood import null_residuals, partial_log_likelihood
from tests.survival.covariates.cohorts import outcomes


def breslow_by_hand(log_hazard: np.ndarray, event: np.ndarray, time: np.ndarray) -> float:
    """The definition, term by term."""
    at_risk = [np.log(np.exp(log_hazard[time >= time[i]]).sum()) for i in range(len(time))]
    return float(sum(log_hazard[i] - at_risk[i] for i in np.flatnonzero(event)))


def test_four_patients_computed_by_hand() -> None:
    event, time = np.array([True, True, False, True]), np.array([2.0, 2.0, 3.0, 1.0])
    hazard = np.array([1.0, 2.0, 3.0, 4.0])
    # At 1 all are at risk (10); at 2 the first three (6), for both events; the last is censored.
    expected = np.log(4 / 10) + np.log(1 / 6) + np.log(2 / 6)
    assert partial_log_likelihood(np.log(hazard)[:, None], event, time)[0] == pytest.approx(expected)


def test_many_patients_with_ties_agree_with_the_definition() -> None:
    log_hazard = np.random.default_rng(0).normal(size=(60, 3))
    event, time = outcomes(log_hazard[:, 0], seed=0)
    time = np.ceil(time / 50)
    expected = [breslow_by_hand(column, event, time) for column in log_hazard.T]
    np.testing.assert_allclose(partial_log_likelihood(log_hazard, event, time), expected)


def test_without_ties_it_is_lifelines_likelihood() -> None:
    x = np.random.default_rng(0).normal(size=50)
    event, _ = outcomes(x, seed=0)
    time = np.random.default_rng(1).permutation(np.arange(1.0, 51))
    fitter = CoxPHFitter().fit(pd.DataFrame({"x": x, "t": time, "e": event}), "t", "e")
    log_hazard = (x * fitter.params_["x"])[:, None]
    assert partial_log_likelihood(log_hazard, event, time)[0] == pytest.approx(fitter.log_likelihood_)


def test_huge_hazards_do_not_overflow() -> None:
    event, time = np.array([True, True]), np.array([1.0, 2.0])
    assert partial_log_likelihood(np.array([[800.0], [-800.0]]), event, time)[0] == pytest.approx(0)


def test_residuals_are_the_gradient_at_no_effect() -> None:
    event, time = outcomes(np.zeros(30), seed=3)
    time = np.ceil(time / 50)
    step = 1e-6 * np.eye(30)
    up, down = (partial_log_likelihood(sign * step, event, time) for sign in (1, -1))
    np.testing.assert_allclose(null_residuals(event, time), (up - down) / 2e-6, atol=1e-7)
    assert null_residuals(event, time).sum() == pytest.approx(0)
