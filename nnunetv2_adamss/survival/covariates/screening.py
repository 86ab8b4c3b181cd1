"""Screening of the clinical indicators, each with all its columns (Section 4.1 of the paper)."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from numpy.typing import NDArray

from nnunetv2_adamss.survival.covariates.cox_fit import CoxFit, fit_cox
from nnunetv2_adamss.survival.covariates.indicator import Indicator

# choice: the paper screens by univariate and multivariate Cox analyses at 0.05, but does not state how the two are
# combined, nor which test is used. Here each indicator alone, by one test of all its columns.
_KEEP_BELOW_P = 0.05


@dataclass(frozen=True, eq=False)
class ScreenedIndicator:
    """An indicator, its own Cox model, and whether it is kept.

    Args:
        indicator: as encoded.
        inputs: of the training cases, ``(n_cases, n_columns)``.
        fit: the Cox model of this indicator alone.
        is_kept: whether the model uses it.
    """

    indicator: Indicator
    inputs: pd.DataFrame
    fit: CoxFit
    is_kept: bool


def screen_indicators(
    indicators: Sequence[Indicator],
    training: pd.DataFrame,
    event: NDArray,
    time: NDArray,
    *,
    keep_all: bool = False,
) -> list[ScreenedIndicator]:
    """Test every indicator alone by the likelihood ratio.

    Args:
        indicators: as encoded.
        training: clinical columns of the training cases.
        event: ``(n_cases,)``, True = observed.
        time: ``(n_cases,)``.
        keep_all: test, but keep every indicator.
    """
    screened = []
    for indicator in indicators:
        inputs = indicator.encode(training[indicator.name])
        fit = fit_cox(inputs, event, time)
        is_kept = keep_all or fit.likelihood_ratio_p < _KEEP_BELOW_P
        screened.append(ScreenedIndicator(indicator, inputs, fit, is_kept))
    return screened
