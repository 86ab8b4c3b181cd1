"""Cox models: the same as lifelines', and an answer where a column separates the events."""

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter
from lifelines.statistics import StatisticalResult

from nnunetv2_adamss.survival.covariates.cox_fit import fit_cox
from tests.survival.covariates.cohorts import features, outcomes


def test_a_fit_is_lifelines_fit() -> None:
    inputs = features(150, 2, seed=0).rename(columns={"feature_000": "time", "feature_001": "event"})
    event, time = outcomes(inputs["time"].to_numpy(), seed=1)
    fit = fit_cox(inputs, event, time)
    table = pd.DataFrame({"a": inputs["time"], "b": inputs["event"], "t": time, "e": event})
    expected = CoxPHFitter().fit(table, "t", "e")
    np.testing.assert_allclose(fit.weights, expected.params_, rtol=1e-6)
    np.testing.assert_allclose(fit.wald_p, expected.summary["p"], rtol=1e-6)
    np.testing.assert_allclose(np.exp(fit.interval[0]), expected.summary["exp(coef) lower 95%"], rtol=1e-6)
    np.testing.assert_allclose(np.exp(fit.interval[1]), expected.summary["exp(coef) upper 95%"], rtol=1e-6)
    ratio: StatisticalResult = expected.log_likelihood_ratio_test()
    assert fit.likelihood_ratio_p == pytest.approx(ratio.p_value)
    assert list(fit.weights.index) == ["time", "event"]
    assert not fit.is_separated


def test_a_column_that_separates_the_events_gets_a_finite_weight_and_is_marked() -> None:
    rng = np.random.default_rng(0)
    time, event = rng.permutation(np.arange(1.0, 101)), rng.random(100) < 0.5
    never_ill = ((rng.random(100) < 0.3) & ~event).astype(float)
    fit = fit_cox(pd.DataFrame({"x": never_ill}), event, time)
    assert fit.is_separated
    assert -10 < fit.weights["x"] < -1
    assert np.isfinite(fit.errors["x"])
    assert fit.likelihood_ratio_p < 0.01


def test_columns_that_say_the_same_are_borne() -> None:
    inputs = features(80, 1, seed=0)
    event, time = outcomes(inputs["feature_000"].to_numpy(), seed=1)
    fit = fit_cox(inputs.assign(again=inputs["feature_000"]), event, time)
    assert fit.is_separated
    assert np.isfinite(fit.weights).all()


def test_a_ridge_draws_weights_towards_0() -> None:
    inputs = features(100, 3, seed=0)
    event, time = outcomes(inputs["feature_000"].to_numpy(), seed=1)
    assert (
        fit_cox(inputs, event, time, ridge=1.0).weights.abs().sum()
        < fit_cox(inputs, event, time).weights.abs().sum()
    )


def test_more_columns_than_events_are_borne() -> None:
    inputs = features(20, 25, seed=0)
    event, time = outcomes(inputs["feature_000"].to_numpy(), seed=1)
    fit = fit_cox(inputs, event, time)
    assert fit.is_separated
    assert np.isfinite(fit.weights).all()
    assert 0 <= fit.likelihood_ratio_p <= 1
