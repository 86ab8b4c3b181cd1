"""A number with its interval, or the reason why there is none."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Estimate:
    """A number with its interval, or the reason why there is none.

    Attributes:
        value: None if it cannot be estimated.
        interval: lower and upper bound, 95% unless said otherwise; None if there is none.
        reason: in words, wherever value or interval is None; None if nothing is missing.
    """

    value: float | None
    interval: tuple[float, float] | None = None
    reason: str | None = None


@dataclass(frozen=True)
class PairEstimate(Estimate):
    """The same of a share of pairs of patients.

    Attributes:
        n_pairs: comparable pairs; 0 where they were not counted.
    """

    n_pairs: int = 0


def percentile_interval(
    resampled: NDArray[np.floating], what_is_missing: str, confidence: float = 0.95
) -> tuple[tuple[float, float] | None, str | None]:
    """The percentile interval over resamples; those that are NaN are dropped unless they are more than half.

    Args:
        resampled: ``(n_resamples,)``.
        what_is_missing: in the resamples that are NaN, such as "have no comparable pair".
        confidence: share of the resamples inside the interval.

    Returns:
        The interval and None, or None and the reason.
    """
    estimable = resampled[np.isfinite(resampled)]
    n_dropped = len(resampled) - len(estimable)
    if not len(estimable) or n_dropped > len(resampled) / 2:
        return None, f"no interval: {n_dropped} of {len(resampled)} resamples {what_is_missing}"
    tail = (1 - confidence) / 2
    lower, upper = np.quantile(estimable, [tail, 1 - tail])
    return (float(lower), float(upper)), None


def bootstrap_estimate(resampled: NDArray[np.floating], what_is_missing: str) -> Estimate:
    """An estimate whose first entry is of the patients themselves and the others of resamples."""
    interval, reason = percentile_interval(resampled[1:], what_is_missing)
    return Estimate(float(resampled[0]), interval, reason)
