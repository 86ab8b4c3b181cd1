"""A Cox model on a few columns by lifelines, also where a column separates the events."""

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter
from lifelines.exceptions import ConvergenceError
from numpy.typing import NDArray
from scipy.stats import chi2

from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.survival.covariates.breslow_likelihood import partial_log_likelihood

# On separation the likelihood rises without limit along a column. The first of these ridges with which lifelines
# converges keeps the weight at a few units.
_SEPARATION_RIDGES = (0.01, 0.1, 1.0)
# Standard error of a weight times the column's deviation; well-posed columns stay below 1, separated ones pass 100.
_SEPARATED_FROM = 10.0
_Z_95 = 1.959963984540054


@dataclass(frozen=True, eq=False)
class CoxFit:
    """Weights and statistics of a fitted Cox model.

    Args:
        weights: log hazard ratios, ``(n_columns,)``, by column.
        errors: their standard errors, ``(n_columns,)``, by column.
        likelihood_ratio_p: P value of the whole model against the model without covariates.
        is_separated: whether a column separates the events, so that the weights had to be penalised.
    """

    weights: pd.Series
    errors: pd.Series
    likelihood_ratio_p: float
    is_separated: bool

    @property
    def wald_p(self) -> pd.Series:
        """Two-sided P value of each weight."""
        return pd.Series(chi2.sf((self.weights / self.errors) ** 2, 1), index=self.weights.index)

    @property
    def interval(self) -> tuple[pd.Series, pd.Series]:
        """Lower and upper end of each weight's 95% interval."""
        return self.weights - _Z_95 * self.errors, self.weights + _Z_95 * self.errors


def fit_cox(
    inputs: pd.DataFrame,
    event: NDArray[np.bool_],
    time: NDArray[np.float64],
    ridge: float | NDArray[np.float64] = 0.0,
) -> CoxFit:
    """Fit by maximum partial likelihood (Efron's handling of ties).

    Args:
        inputs: ``(n_cases, n_columns)``, at least one column.
        event: ``(n_cases,)``, True = observed.
        time: ``(n_cases,)``.
        ridge: weight of an L2 penalty, of all columns or of each; above 0 if there are too many columns for the events.

    Raises:
        ValueError: if no model can be fitted at all.
    """
    fitter = _fitted(inputs, event, time, ridge)
    has_ridge = bool(np.any(ridge))
    is_separated = not has_ridge and (fitter is None or _is_separated(fitter, inputs))
    if fitter is None or is_separated:
        fits = (_fitted(inputs, event, time, stronger) for stronger in _SEPARATION_RIDGES)
        fitter = next((fit for fit in fits if fit is not None), None)
    if fitter is None:
        raise ValueError(f"No Cox model can be fitted to {listed(list(map(str, inputs)))}.")
    weights = pd.Series(fitter.params_.to_numpy(), index=inputs.columns)
    errors = pd.Series(fitter.standard_errors_.to_numpy(), index=inputs.columns)
    if has_ridge or is_separated:
        p_value = _likelihood_ratio_p(inputs, weights, event, time)
    else:
        p_value = float(fitter.log_likelihood_ratio_test().p_value)
    return CoxFit(weights, errors, p_value, is_separated)


def _fitted(
    inputs: pd.DataFrame,
    event: NDArray[np.bool_],
    time: NDArray[np.float64],
    ridge: float | NDArray[np.float64],
) -> CoxPHFitter | None:
    # Names of the user's columns could be those of the outcome.
    table = pd.DataFrame(inputs.to_numpy()).rename(columns=str).assign(event=event, time=time)
    fitter = CoxPHFitter(penalizer=ridge)
    with warnings.catch_warnings():
        # Separation, of which it warns, is detected in the result.
        warnings.simplefilter("ignore")
        try:
            fitter.fit(table, duration_col="time", event_col="event")
        except (ConvergenceError, np.linalg.LinAlgError):
            return None
    return fitter


def _is_separated(fitter: CoxPHFitter, inputs: pd.DataFrame) -> bool:
    spread = fitter.standard_errors_.to_numpy() * inputs.std(ddof=0).to_numpy()
    # not all(<), so that NaN counts as separated.
    return not bool(np.all(spread < _SEPARATED_FROM))


def _likelihood_ratio_p(
    inputs: pd.DataFrame, weights: pd.Series, event: NDArray[np.bool_], time: NDArray[np.float64]
) -> float:
    """P value by the likelihood without the ridge, which lifelines' own figure includes."""
    log_hazard = np.column_stack([np.zeros(len(inputs)), inputs.to_numpy() @ weights.to_numpy()])
    without, with_weights = partial_log_likelihood(log_hazard, event, time)
    return float(chi2.sf(max(2 * (with_weights - without), 0.0), inputs.shape[1]))
