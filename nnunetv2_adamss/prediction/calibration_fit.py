"""Correction of survival curves for their calibration, and its fit to outcomes."""

import logging
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logit

from nnunetv2_adamss.prediction.ensemble import Curves
from nnunetv2_adamss.survival.discrete_time.curve import survival_curve
from nnunetv2_adamss.survival.discrete_time.intervals import IntervalLabels

logger = logging.getLogger(__name__)

MIN_SLOPE = 0.01
# Standard deviation, in logits, of the parameters' normal prior.
_PRIOR_SPREAD = 3.0
# Conditional probabilities are clipped this far from 0 and 1: the loss's epsilon in the paper.
_SURE = 1e-5
_MOST = float(logit(1 - _SURE))
# Hardly a value of a normal distribution is so far from the median: 4 standard deviations, by either measure.
_IQR_FENCE, _SD_FENCE = 3.0, 4.0

Limits = NDArray[np.float64]


class Correction(NamedTuple):
    """``logit(p'_j) = slope * logit(p_j) + intercept_j``, with logits first clipped to limits.

    Attributes:
        slope: above 0.
        intercepts: ``(n_intervals,)``.
        limits: lowest and highest logit in each interval, ``(n_intervals, 2)``; None for those of probabilities of
            1e-5 and 1 - 1e-5.
    """

    slope: float
    intercepts: NDArray[np.float64]
    limits: Limits | None = None

    def apply(self, curve: Curves) -> Curves:
        """Correct S(t) at the right edges of the intervals, ``(..., n_intervals)``."""
        return self.apply_to_logits(limited_logits(curve, self.limits))

    def apply_to_logits(self, logits: NDArray[np.float64]) -> Curves:
        """Return corrected S(t) for logits of surviving each interval."""
        return survival_curve(expit(self.slope * logits + self.intercepts))


def fit_correction(curve: Curves, labels: IntervalLabels) -> Correction:
    """Fit slope and intercepts by penalised maximum likelihood, a strictly convex problem with one solution.

    Probabilities of 0 and 1 have infinite logits, which would dominate the slope. So the slope is fitted to the others,
    and only the intercepts to all, with logits clipped to limits that follow from the others. A curve that has reached
    0 has no information on later intervals, whose outcomes are left out.

    Args:
        curve: predicted S(t) at the right edges of the intervals, ``(n_cases, n_intervals)``.
        labels: outcomes of these cases in the intervals.

    Raises:
        ValueError: if the fit finds no finite likelihood.
    """
    limits, logits, known = limited(curve, labels)
    certain = _is_certain(curve)
    slope, intercepts = _fit(logits, IntervalLabels(known.survived * ~certain, known.failed * ~certain))
    if certain.any():
        _, intercepts = _fit(logits, known, slope)
    if slope <= MIN_SLOPE:
        logger.warning(
            "The predictions do not separate early from late events: calibrated curves are nearly the same for all."
        )
    return Correction(slope, intercepts, limits)


def fit_ensemble_correction(
    curve: Curves, labels: IntervalLabels, alone: Correction, n_folds: int
) -> tuple[Correction, Curves]:
    """Fit the correction of the mean logits of several folds to predictions of single folds for cases new to them.

    The mean of K folds varies less than a single fold, since their errors cancel in part, and has as much information
    on the outcome: its slope is steeper, by the ratio of both variances, ``1 / (r + (1 - r) / K)``, where r is the
    folds' correlation in new patients. Cross-validation does not show r: each case is new to one fold only, and folds
    that were trained on a case agree on it too well.

    choice: r is the root of the slope of a fold alone. That slope is r itself where folds share no error; r is 1 where
    they share all; the root is the geometric mean of the two. ``measurements/calibration_of_ensembles.py`` compares it
    with other ways. Intercepts are fitted to logits that are drawn together as those of the mean are.

    Args:
        curve: predicted S(t), each case by the fold that did not train on it, ``(n_cases, n_intervals)``.
        labels: outcomes of these cases.
        alone: correction of a single fold, fitted to the same.
        n_folds: number of averaged folds, at least 1.

    Returns:
        The correction, and curves with the variance of corrected ones of the mean, ``(n_cases, n_intervals)``.
    """
    _, logits, known = limited(curve, labels)
    correlation = 1.0 if alone.slope <= MIN_SLOPE else min(1.0, float(np.sqrt(alone.slope)))
    share_of_variance = correlation + (1 - correlation) / n_folds
    at_risk = known.survived + known.failed
    mean = (at_risk * logits).sum(axis=0) / np.maximum(at_risk.sum(axis=0), 1)
    drawn_together = mean + (logits - mean) * np.sqrt(share_of_variance)
    slope = alone.slope / share_of_variance
    _, intercepts = _fit(drawn_together, known, slope)
    ensemble = Correction(slope, intercepts, alone.limits)
    return ensemble, ensemble.apply_to_logits(drawn_together)


def limited(curve: Curves, labels: IntervalLabels) -> tuple[Limits, NDArray[np.float64], IntervalLabels]:
    """Return limits of logits, the clipped logits, and the labels without intervals after a curve has reached 0."""
    says_something = _before(curve) > 0
    known = IntervalLabels(labels.survived * says_something, labels.failed * says_something)
    limits = logit_limits(curve)
    return limits, limited_logits(curve, limits), known


def limited_logits(curve: Curves, limits: Limits | None) -> NDArray[np.float64]:
    """Return the clipped logits of surviving each interval, given alive at its start, from S(t) at the right edges."""
    before = _before(curve)
    # Probability 0 if S(t) is 0 at the start already.
    prob = np.divide(curve, before, out=np.zeros_like(curve), where=before > 0)
    logits = logit(np.clip(prob, _SURE, 1 - _SURE))
    return logits if limits is None else np.clip(logits, limits[:, 0], limits[:, 1])


def logit_limits(curve: Curves) -> Limits:
    """Return the lowest and highest plausible logit of each interval, given its other logits, ``(n_intervals, 2)``.

    Four standard deviations from the median of the logits of probabilities that are neither 0 nor 1, where the standard
    deviation is the larger one of two estimates, direct and by quartiles. An interval without such logits takes those
    of all intervals.
    """
    logits, is_inside = limited_logits(curve, None), ~_is_certain(curve)
    everywhere = logits[is_inside]
    fences = []
    for of_interval, is_known in zip(logits.T, is_inside.T, strict=True):
        inside = of_interval[is_known] if is_known.sum() > 1 else everywhere
        fences.append(_fences(inside) if len(inside) > 1 else (-_MOST, _MOST))
    return np.array(fences)


def _fences(logits: NDArray[np.float64]) -> tuple[float, float]:
    low, median, high = np.quantile(logits, [0.25, 0.5, 0.75])
    width = max(_IQR_FENCE * (high - low), _SD_FENCE * logits.std())
    if width < 1e-9:  # the same for all cases, which does not limit others
        return -_MOST, _MOST
    return float(max(median - width, -_MOST)), float(min(median + width, _MOST))


def _is_certain(curve: Curves) -> NDArray[np.bool_]:
    """Mark intervals whose probability of survival is 0 or 1, or undefined since S(t) is 0 before."""
    return (np.abs(limited_logits(curve, None)) > _MOST - 1e-9) | (_before(curve) <= 0)


def _before(curve: Curves) -> Curves:
    """Return S(t) at the left edges."""
    return np.concatenate([np.ones_like(curve[..., :1]), curve[..., :-1]], axis=-1)


def _fit(
    logits: NDArray[np.float64], labels: IntervalLabels, slope: float | None = None
) -> tuple[float, NDArray[np.float64]]:
    """Fit the slope, unless it is given, and the intercepts."""
    at_risk = labels.survived + labels.failed

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        slope, intercepts = parameters[0], parameters[1:]
        corrected = slope * logits + intercepts
        deviations = np.append(slope - 1, intercepts - intercepts.mean()) / _PRIOR_SPREAD
        log_likelihood = labels.survived * log_expit(corrected) + labels.failed * log_expit(-corrected)
        residual = at_risk * expit(corrected) - labels.survived
        gradient = np.append((residual * logits).sum(), residual.sum(axis=0)) + deviations / _PRIOR_SPREAD
        return (deviations**2).sum() / 2 - log_likelihood.sum(), gradient

    start = np.append(1.0 if slope is None else slope, np.zeros(logits.shape[1]))
    bounds = [(MIN_SLOPE, None) if slope is None else (slope, slope), *[(None, None)] * logits.shape[1]]
    found = minimize(
        loss, start, jac=True, bounds=bounds, method="L-BFGS-B", options={"ftol": 1e-14, "gtol": 1e-8}
    )
    if not np.isfinite(found.fun):
        raise ValueError(f"The calibration could not be fitted: {found.message}.")
    return float(found.x[0]), found.x[1:]
