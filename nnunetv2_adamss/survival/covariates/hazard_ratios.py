"""The table of hazard ratios: each clinical indicator alone, and those that were kept together."""

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from nnunetv2_adamss.survival.covariates.cox_fit import CoxFit, fit_cox
from nnunetv2_adamss.survival.covariates.indicator import Indicator
from nnunetv2_adamss.survival.covariates.screening import ScreenedIndicator

_SEPARATION = "separation: a ridge limits the ratio, which is not an estimate"


def hazard_ratios(
    screened: Sequence[ScreenedIndicator], event: NDArray, time: NDArray
) -> list[dict[str, Any]]:
    """Compute the table of hazard ratios, one row for each input column.

    Args:
        screened: the indicators.
        event: of the training cases, ``(n_cases,)``, True = observed.
        time: of the training cases, ``(n_cases,)``.

    Returns:
        Plain data: ``indicator``, ``column``, ``unit`` (of the ratio), ``kept``, ``screening_p``
        (likelihood ratio of the whole indicator), ``univariate_hr`` with ``_low`` and ``_high`` (95% interval) and
        ``_p`` (Wald), the same for ``multivariate``, which is None for indicators that were not kept, and ``note``.
    """
    kept = [one.inputs for one in screened if one.is_kept]
    together = fit_cox(pd.concat(kept, axis=1), event, time) if kept else None
    return [_row(one, column, together) for one in screened for column in one.indicator.columns]


def _row(one: ScreenedIndicator, column: str, together: CoxFit | None) -> dict[str, Any]:
    fits = {"univariate": one.fit, "multivariate": together if one.is_kept else None}
    separated = [name for name, fit in fits.items() if fit is not None and fit.is_separated]
    return {
        "indicator": one.indicator.name,
        "column": column,
        "unit": one.indicator.unit,
        "kept": one.is_kept,
        "screening_p": one.fit.likelihood_ratio_p,
        **_figures("univariate", fits["univariate"], one.indicator, column),
        **_figures("multivariate", fits["multivariate"], one.indicator, column),
        "note": f"{' and '.join(separated)}: {_SEPARATION}" if separated else "",
    }


def _figures(name: str, fit: CoxFit | None, indicator: Indicator, column: str) -> dict[str, float | None]:
    keys = (f"{name}_hr", f"{name}_hr_low", f"{name}_hr_high", f"{name}_p")
    if fit is None:
        return dict.fromkeys(keys)
    low, high = fit.interval
    scale = indicator.units_per_input
    ratios = [_exp(float(weights[column]) / scale) for weights in (fit.weights, low, high)]
    return dict(zip(keys, [*ratios, float(fit.wald_p[column])], strict=True))


def _exp(value: float) -> float:
    # The upper bound of a separated column can exceed the largest float.
    return math.exp(min(value, 700.0))
