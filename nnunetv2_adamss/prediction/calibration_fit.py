"""The correction of survival curves by which calibration works, and its fit to outcomes."""

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
# Standard deviation, in logits, of the normal distribution that parameters are expected in beforehand.
_PRIOR_SPREAD = 3.0
# Conditional probabilities nearer to 0 and 1 say nothing more: the loss's epsilon in the paper.
_SURE = 1e-5
_MOST = float(logit(1 - _SURE))
# Of a normal distribution nothing is so far from the median: 4 standard deviations, by either measure.
_IQR_FENCE, _SD_FENCE = 3.0, 4.0

Limits = NDArray[np.float64]


class Correction(NamedTuple):
    """``logit(p'_j) = slope * logit(p_j) + intercept_j``, logits being kept within limits before.

    Attributes:
        slope: above 0.
        intercepts: ``(n_intervals,)``.
        limits: least and greatest logit in each interval, ``(n_intervals, 2)``; None for those of probabilities of
            1e-5 and 1 - 1e-5.
    """

    slope: float
    intercepts: NDArray[np.float64]
    limits: Limits | None = None

    def apply(self, curve: Curves) -> Curves:
        """Corrected S(t) of S(t) at the right edges of the intervals, ``(..., n_intervals)``."""
        return self.apply_to_logits(limited_logits(curve, self.limits))

    def apply_to_logits(self, logits: NDArray[np.float64]) -> Curves:
        """The same of logits of surviving each interval."""
        return survival_curve(expit(self.slope * logits + self.intercepts))


def fit_correction(curve: Curves, labels: IntervalLabels) -> Correction:
    """Slope and intercepts of the highest penalised likelihood, which is unique: the problem is strictly convex.

    Probabilities of 0 and 1 have logits without an end, which would decide on the slope. So it is fitted to the others,
    and only the intercepts to all, with logits kept within limits that follow from the others. After a curve has
    reached 0 it says nothing of later intervals, whose outcomes are left out.

    Args:
        curve: predicted S(t) at the right edges of the intervals, ``(n_cases, n_intervals)``.
        labels: what happened to these cases in them.

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
            "The predictions do not tell early from late events: calibrated curves are nearly the same for everyone."
        )
    return Correction(slope, intercepts, limits)


def fit_ensemble_correction(
    curve: Curves, labels: IntervalLabels, alone: Correction, n_folds: int
) -> tuple[Correction, Curves]:
    """The correction of the mean logits of several folds, from what single folds say of cases that are new to them.

    The mean of K folds spreads less than a fold alone, since their errors cancel in part, and tells as much of the
    outcome as each: its slope is steeper, by the ratio of both variances, ``1 / (r + (1 - r) / K)``, where r is the
    folds' correlation in new patients. Cross-validation does not show r: each case is new to one fold only, and folds
    that were trained on a case agree on it too well.

    choice: r is the root of the slope of a fold alone. That slope is r itself where folds share no error; r is 1 where
    they share all; the root is the geometric mean of the two. ``measurements/calibration_of_ensembles.py`` compares it
    with other ways. Intercepts are fitted to logits that are drawn together as those of the mean are.

    Args:
        curve: predicted S(t), each case by the fold that did not train on it, ``(n_cases, n_intervals)``.
        labels: what happened to these cases.
        alone: fitted to the same.
        n_folds: that are averaged, at least 1.

    Returns:
        The correction, and curves as spread out as corrected ones of the mean would be, ``(n_cases, n_intervals)``.
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
    """Limits of logits, the logits within, and the labels without intervals of which a curve says nothing."""
    says_something = _before(curve) > 0
    known = IntervalLabels(labels.survived * says_something, labels.failed * says_something)
    limits = logit_limits(curve)
    return limits, limited_logits(curve, limits), known


def limited_logits(curve: Curves, limits: Limits | None) -> NDArray[np.float64]:
    """Logits of surviving each interval given alive at its start, of S(t) at the right edges, within limits."""
    before = _before(curve)
    # Where nobody is alive at the start: dead.
    prob = np.divide(curve, before, out=np.zeros_like(curve), where=before > 0)
    logits = logit(np.clip(prob, _SURE, 1 - _SURE))
    return logits if limits is None else np.clip(logits, limits[:, 0], limits[:, 1])


def logit_limits(curve: Curves) -> Limits:
    """Least and greatest logit that an interval's other logits make believable, ``(n_intervals, 2)``.

    Four standard deviations from the median of the logits of probabilities that are neither 0 nor 1, where the standard
    deviation is the larger one of themselves and of their quartiles. Where there are none, all intervals' together.
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
    if width < 1e-9:  # the same for everyone, which says nothing of others
        return -_MOST, _MOST
    return float(max(median - width, -_MOST)), float(min(median + width, _MOST))


def _is_certain(curve: Curves) -> NDArray[np.bool_]:
    """Where the probability of surviving an interval is 0 or 1, or there is none since nobody is alive before."""
    return (np.abs(limited_logits(curve, None)) > _MOST - 1e-9) | (_before(curve) <= 0)


def _before(curve: Curves) -> Curves:
    """S(t) at the left edges."""
    return np.concatenate([np.ones_like(curve[..., :1]), curve[..., :-1]], axis=-1)


def _fit(
    logits: NDArray[np.float64], labels: IntervalLabels, slope: float | None = None
) -> tuple[float, NDArray[np.float64]]:
    """Slope, unless it is given, and intercepts."""
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
