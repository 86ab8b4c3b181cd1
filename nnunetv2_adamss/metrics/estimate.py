"""A number with its interval, or the reason why there is none."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t

# With fewer, intervals of concordance and of probabilities cover the truth less often than 95%.
MIN_EVENTS = 10


@dataclass(frozen=True)
class Estimate:
    """A number with its interval, or the reason why there is none.

    Attributes:
        value: None if it cannot be estimated.
        interval: lower and upper bound, 95% unless stated otherwise; None if there is none.
        reason: in words, wherever value or interval is None; None if nothing is missing.
    """

    value: float | None
    interval: tuple[float, float] | None = None
    reason: str | None = None


@dataclass(frozen=True)
class PairEstimate(Estimate):
    """An estimate of a share of pairs of patients.

    Attributes:
        n_pairs: comparable pairs; 0 where they were not counted.
    """

    n_pairs: int = 0


def tail_of_resamples(n_events: int | None, confidence: float = 0.95) -> float:
    """Share of the resamples that an interval leaves out on either side.

    Resamples of few events vary too little: by the root of ``(n - 1) / n``, and as if their spread were known. The tail
    is therefore that of Student's t instead of the normal distribution's (the expanded percentile interval; Hesterberg,
    The American Statistician 2015). ``measurements/interval_coverage.py`` measures its coverage.

    Args:
        n_events: number of events behind the estimate, or None for the plain percentile.
        confidence: share of the resamples inside the interval, for many events.
    """
    tail = (1 - confidence) / 2
    if n_events is None:
        return tail
    n = max(n_events, 2)
    return float(norm.cdf(np.sqrt(n / (n - 1)) * t.ppf(tail, n - 1)))


def two_sided_p(resampled: NDArray[np.floating], n_events: int) -> float:
    """P of no difference, which is under 5% where the 95% interval of the same resamples leaves zero out.

    Twice the smaller share of resamples on one side of zero, each side counting one more so that it is never 0, carried
    from the normal to Student's t distribution as the tails of intervals are.

    Args:
        resampled: differences, ``(n_resamples,)``; those that are not finite are dropped.
        n_events: as for :func:`tail_of_resamples`.
    """
    estimable = resampled[np.isfinite(resampled)]
    return _p_of_share(min((estimable <= 0).sum(), (estimable >= 0).sum()), len(estimable), n_events)


def least_p(n_resamples: int, n_events: int) -> float:
    """The smallest P that so many resamples can show."""
    return _p_of_share(0, n_resamples, n_events)


def _p_of_share(n_beyond: int, n_resamples: int, n_events: int) -> float:
    n = max(n_events, 2)
    share = min((n_beyond + 1) / (n_resamples + 1), 0.5)
    return float(min(1.0, 2 * t.cdf(np.sqrt((n - 1) / n) * norm.ppf(share), n - 1)))


def percentile_interval(
    resampled: NDArray[np.floating],
    what_is_missing: str,
    confidence: float = 0.95,
    n_events: int | None = None,
) -> tuple[tuple[float, float] | None, str | None]:
    """The percentile interval over resamples; those that are NaN are dropped unless they are more than half.

    Args:
        resampled: ``(n_resamples,)``.
        what_is_missing: in the resamples that are NaN, such as "have no comparable pair".
        confidence: nominal coverage of the interval.
        n_events: number of events behind the estimate; few widen it. None for the plain percentile.

    Returns:
        The interval and None, or None and the reason.
    """
    if not len(resampled):
        return None, "no interval: no resamples were drawn"
    estimable = resampled[np.isfinite(resampled)]
    n_dropped = len(resampled) - len(estimable)
    if not len(estimable) or n_dropped > len(resampled) / 2:
        return None, f"no interval: {n_dropped} of {len(resampled)} resamples {what_is_missing}"
    tail = tail_of_resamples(n_events, confidence)
    lower, upper = np.quantile(estimable, [tail, 1 - tail])
    return (float(lower), float(upper)), None


def bootstrap_estimate(
    resampled: NDArray[np.floating], what_is_missing: str, n_events: int | None = None
) -> Estimate:
    """Estimate from values of which the first is of the patients themselves and the others are of resamples."""
    interval, reason = percentile_interval(resampled[1:], what_is_missing, n_events=n_events)
    return Estimate(float(resampled[0]), interval, reason)
