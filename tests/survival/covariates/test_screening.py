"""Which clinical indicators are kept: those whose likelihood ratio has a P value below 0.05."""

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter

from nnunetv2_adamss.survival.cohort.description import NUMBER
from nnunetv2_adamss.survival.covariates.indicator import Indicator
from nnunetv2_adamss.survival.covariates.screening import screen_indicators
from tests.survival.covariates.cohorts import outcomes


@pytest.mark.parametrize(
    ("seed", "p_value", "is_kept"), [(27, 0.0487, True), (42, 0.0704, False), (34, 0.0435, True)]
)
def test_the_limit_is_a_p_value_of_5_percent(seed: int, p_value: float, is_kept: bool) -> None:
    values = np.random.default_rng(seed).normal(size=60)
    event, time = outcomes(0.3 * values, seed=seed)
    fitter = CoxPHFitter().fit(pd.DataFrame({"x": values, "t": time, "e": event}), "t", "e")
    assert fitter.log_likelihood_ratio_test().p_value == pytest.approx(p_value, abs=1e-4)
    indicators, training = [Indicator("x", NUMBER, 0.0)], pd.DataFrame({"x": values})
    (found,) = screen_indicators(indicators, training, event, time)
    assert found.fit.likelihood_ratio_p == pytest.approx(p_value, abs=1e-4)
    assert found.is_kept == is_kept
    (found,) = screen_indicators(indicators, training, event, time, keep_all=True)
    assert found.is_kept
