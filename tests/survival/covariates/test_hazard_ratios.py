"""The table of hazard ratios, where a ratio or its interval is out of the ordinary."""

import math

import numpy as np
import pandas as pd
import pytest

from nnunetv2_adamss.survival.cohort.description import CATEGORY
from nnunetv2_adamss.survival.covariates.cox_fit import CoxFit
from nnunetv2_adamss.survival.covariates.hazard_ratios import hazard_ratios
from nnunetv2_adamss.survival.covariates.indicator import Indicator
from nnunetv2_adamss.survival.covariates.screening import ScreenedIndicator


def test_an_interval_beyond_any_float_ends_at_a_finite_ratio() -> None:
    indicator = Indicator("site", CATEGORY, "tongue", ("tongue", "larynx"))
    (column,) = indicator.columns
    fit = CoxFit(pd.Series({column: 3.0}), pd.Series({column: 1000.0}), 0.2, is_separated=True)
    screened = ScreenedIndicator(indicator, pd.DataFrame({column: [0.0, 1.0]}), fit, is_kept=False)
    (row,) = hazard_ratios([screened], np.array([True, False]), np.array([1.0, 2.0]))
    assert row["univariate_hr"] == pytest.approx(math.exp(3))
    assert row["univariate_hr_low"] == 0
    assert row["univariate_hr_high"] == math.exp(700)
