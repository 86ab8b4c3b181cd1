"""The correction of survival curves by which calibration works, and its fit to outcomes."""

import logging

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logit

from nnunetv2_adamss.prediction.ensemble import Curves
from nnunetv2_adamss.survival.discrete_time.curve import survival_curve
from nnunetv2_adamss.survival.discrete_time.intervals import IntervalLabels

logger = logging.getLogger(__name__)

MIN_SLOPE = 0.01
# Standard deviation, in logits, of the normal distribution that parameters are expected in beforehand.
_PRIOR_SPREAD = 3.0
# Conditional probabilities nearer to 0 and 1 say nothing more: the loss's epsilon in the paper.
_SURE = 1e-5


def correct(curve: Curves, slope: float, intercepts: NDArray[np.float64]) -> Curves:
    """S(t) whose conditional probabilities p have become ``expit(slope * logit(p) + intercept)``.

    Args:
        curve: S(t) at the right edges of the intervals, ``(..., n_intervals)``.
        slope: above 0.
        intercepts: ``(n_intervals,)``.
    """
    return survival_curve(expit(slope * _conditional_logits(curve) + intercepts))


def fit_correction(curve: Curves, labels: IntervalLabels) -> tuple[float, NDArray[np.float64]]:
    """Slope and intercepts of the highest penalised likelihood, which is unique: the problem is strictly convex.

    Args:
        curve: predicted S(t) at the right edges of the intervals, ``(n_cases, n_intervals)``.
        labels: what happened to these cases in them.

    Raises:
        ValueError: if the fit finds no finite likelihood.
    """
    logits, at_risk = _conditional_logits(curve), labels.survived + labels.failed

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        slope, intercepts = parameters[0], parameters[1:]
        corrected = slope * logits + intercepts
        deviations = np.append(slope - 1, intercepts - intercepts.mean()) / _PRIOR_SPREAD
        log_likelihood = labels.survived * log_expit(corrected) + labels.failed * log_expit(-corrected)
        residual = at_risk * expit(corrected) - labels.survived
        gradient = np.append((residual * logits).sum(), residual.sum(axis=0)) + deviations / _PRIOR_SPREAD
        return (deviations**2).sum() / 2 - log_likelihood.sum(), gradient

    start = np.append(1.0, np.zeros(logits.shape[1]))
    bounds = [(MIN_SLOPE, None), *[(None, None)] * logits.shape[1]]
    found = minimize(
        loss, start, jac=True, bounds=bounds, method="L-BFGS-B", options={"ftol": 1e-14, "gtol": 1e-8}
    )
    if not np.isfinite(found.fun):
        raise ValueError(f"The calibration could not be fitted: {found.message}.")
    slope = float(found.x[0])
    if slope <= MIN_SLOPE:
        logger.warning(
            "The predictions do not tell early from late events: calibrated curves are nearly the same for everyone."
        )
    return slope, found.x[1:]


def _conditional_logits(curve: Curves) -> NDArray[np.float64]:
    """Logits of surviving each interval given alive at its start, of S(t) at the right edges."""
    before = np.concatenate([np.ones_like(curve[..., :1]), curve[..., :-1]], axis=-1)
    # Where nobody is alive at the start: dead.
    prob = np.divide(curve, before, out=np.zeros_like(curve), where=before > 0)
    return logit(np.clip(prob, _SURE, 1 - _SURE))
