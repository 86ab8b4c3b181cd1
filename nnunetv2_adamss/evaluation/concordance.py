"""Harrell's concordance index, with its interval and with a reason wherever it is no sound estimate."""

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from lifelines.utils import concordance_index
from numpy.typing import NDArray

from nnunetv2_adamss.evaluation.risk import time_order_from_risk

MIN_PAIRS = 30


@dataclass(frozen=True)
class Concordance:
    """A concordance index and how far to trust it.

    Attributes:
        c_index: share of comparable pairs in the right order, equal risks counting half; None if no pair is
            comparable or a risk score is not finite.
        n_pairs: comparable pairs: the earlier time is an event, or of equal times exactly one is.
        interval: lower and upper bound by bootstrap; None if not asked for or not estimable.
        reason: what is wrong with the estimate, in words; None if nothing is.
    """

    c_index: float | None
    n_pairs: int
    interval: tuple[float, float] | None = None
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, strings, lists and None, fit for JSON."""
        return asdict(self) | {"interval": list(self.interval) if self.interval else None}


def harrell_c(
    risk_score: NDArray[np.floating], event: NDArray[np.bool_], time: NDArray[np.floating]
) -> Concordance:
    """Harrell's C as lifelines computes it, without an interval.

    Args:
        risk_score: higher for an earlier event, ``(n_cases,)``.
        event: True where the event was observed, ``(n_cases,)``.
        time: time to event or censoring, ``(n_cases,)``.

    Raises:
        ValueError: if the lengths differ.
    """
    n_pairs = _count_comparable_pairs(event, time)
    if not np.isfinite(risk_score).all():
        n_faulty = int((~np.isfinite(risk_score)).sum())
        faulty = f"not estimable: {n_faulty} of {len(time)} risk scores are not finite"
        return Concordance(None, n_pairs, reason=faulty)
    c_index = _c_index(risk_score, event, time)
    reason = None
    if n_pairs == 0:
        reason = (
            f"not estimable: no comparable pair among {len(time)} patients with {int(event.sum())} events"
        )
    elif n_pairs < MIN_PAIRS:
        reason = f"not estimable: only {n_pairs} comparable pairs, at least {MIN_PAIRS} are needed"
    return Concordance(c_index, n_pairs, reason=reason)


def bootstrap_harrell_c(
    risk_score: NDArray[np.floating],
    event: NDArray[np.bool_],
    time: NDArray[np.floating],
    *,
    n_resamples: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Concordance:
    """Harrell's C with the percentile interval over resamples of patients.

    Resamples without a comparable pair are dropped; if they are more than half, there is no interval.

    Args:
        risk_score: higher for an earlier event, ``(n_cases,)``.
        event: True where the event was observed, ``(n_cases,)``.
        time: time to event or censoring, ``(n_cases,)``.
        n_resamples: how often as many patients are drawn with replacement.
        seed: of the draws.
        confidence: share of the resamples inside the interval.

    Raises:
        ValueError: if the lengths differ.
    """
    concordance = harrell_c(risk_score, event, time)
    if concordance.c_index is None:
        return concordance
    draws = np.random.default_rng(seed).integers(len(time), size=(n_resamples, len(time)))
    resampled = [_c_index(risk_score[draw], event[draw], time[draw]) for draw in draws]
    estimable = [c_index for c_index in resampled if c_index is not None]
    n_dropped = n_resamples - len(estimable)
    if n_dropped > n_resamples / 2:
        no_interval = f"no interval: {n_dropped} of {n_resamples} resamples have no comparable pair"
        return replace(concordance, reason="; ".join(filter(None, [concordance.reason, no_interval])))
    tail = (1 - confidence) / 2
    lower, upper = np.quantile(estimable, [tail, 1 - tail])
    return replace(concordance, interval=(float(lower), float(upper)))


def _c_index(
    risk_score: NDArray[np.floating], event: NDArray[np.bool_], time: NDArray[np.floating]
) -> float | None:
    try:
        return float(concordance_index(time, time_order_from_risk(risk_score), event))
    except ZeroDivisionError:  # lifelines' word for no comparable pair
        return None


def _count_comparable_pairs(event: NDArray[np.bool_], time: NDArray[np.floating]) -> int:
    times, censored_times = np.sort(time), np.sort(time[~event])
    later = len(times) - np.searchsorted(times, time[event], side="right")
    censored_at = np.searchsorted(censored_times, time[event], side="right") - np.searchsorted(
        censored_times, time[event], side="left"
    )
    return int(later.sum() + censored_at.sum())
