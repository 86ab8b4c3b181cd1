"""Harrell's concordance index, with its interval, and a reason where the estimate is not reliable."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from lifelines.utils import concordance_index
from numpy.typing import NDArray

from nnunetv2_adamss.metrics.estimate import PairEstimate, percentile_interval
from nnunetv2_adamss.metrics.pairs import PairSums, not_finite, pooled, sum_pairs, too_few
from nnunetv2_adamss.metrics.patient_columns import Column, check_there_are_patients, patient_columns
from nnunetv2_adamss.metrics.resampling import DEFAULT_RESAMPLES, ResampledCohort
from nnunetv2_adamss.metrics.risk import time_order_from_risk
from nnunetv2_adamss.metrics.settings import check_settings


@dataclass(frozen=True)
class Concordance:
    """A concordance index and how far to trust it.

    Attributes:
        c_index: share of comparable pairs in the right order, equal risks counting half; None if no pair is
            comparable or a risk score is not finite.
        n_pairs: comparable pairs: the earlier time is an event, or of equal times exactly one is.
        interval: lower and upper bound by bootstrap; None if not asked for or not estimable.
        reason: what is wrong with the estimate, such as fewer than 10 events; None if nothing is.
    """

    c_index: float | None
    n_pairs: int
    interval: tuple[float, float] | None = None
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain numbers, strings, lists and None, for JSON."""
        return asdict(self) | {"interval": list(self.interval) if self.interval else None}


def harrell_c(risk_score: Column, event: Column, time: Column) -> Concordance:
    """Harrell's C as lifelines computes it, without an interval.

    Arrays, lists and pandas columns are taken, paired by position. pandas columns must share one index.

    Args:
        risk_score: higher for an earlier event, ``(n_cases,)``.
        event: True or 1 where the event was observed, ``(n_cases,)``.
        time: time to event or censoring, ``(n_cases,)``.

    Raises:
        ValueError: if there is no patient, a column holds other values, or two columns differ in their length or index.

    Examples:
        >>> import pandas as pd
        >>> import nnunetv2_adamss as adamss
        >>> table = pd.DataFrame({"risk": [9, 7, 7, 1], "event": [1, 1, 0, 0], "time": [30, 200, 400, 500]})
        >>> found = adamss.harrell_c(table.risk, table.event, table.time)
        >>> found.c_index, found.n_pairs
        (0.9, 5)

        Four patients are too few to conclude anything, as the result states:

        >>> found.reason
        'not estimable: only 2 events in comparable pairs, at least 10 are needed'
    """
    return _concordance(*_checked_columns(risk_score, event, time))


def _checked_columns(
    risk_score: Column, event: Column, time: Column
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]:
    risk_score, event, time = patient_columns(risk_score=risk_score, event=event, time=time)
    check_there_are_patients(time)
    return risk_score, event, time


def _concordance(
    risk_score: NDArray[np.floating], event: NDArray[np.bool_], time: NDArray[np.floating]
) -> Concordance:
    n_pairs = int(_later_patients(event, time).sum())
    if faulty := not_finite(risk_score):
        return Concordance(None, n_pairs, reason=faulty)
    c_index = _c_index(risk_score, event, time)
    reason = None
    if n_pairs == 0:
        reason = (
            f"not estimable: no comparable pair among {len(time)} patients with {int(event.sum())} events"
        )
    else:
        reason = too_few(int((_later_patients(event, time) > 0).sum()), _count_outliving(event, time))
    return Concordance(c_index, n_pairs, reason=reason)


def bootstrap_harrell_c(
    risk_score: Column,
    event: Column,
    time: Column,
    *,
    n_resamples: int = DEFAULT_RESAMPLES,
    seed: int = 0,
    confidence: float = 0.95,
) -> Concordance:
    """Harrell's C with its interval over resamples of patients, which is wider the fewer events there are.

    Resamples without a comparable pair are dropped; if they are more than half, there is no interval.

    Args:
        risk_score: higher for an earlier event, ``(n_cases,)``.
        event: True or 1 where the event was observed, ``(n_cases,)``.
        time: time to event or censoring, ``(n_cases,)``.
        n_resamples: number of resamples, in each of which as many patients are drawn with replacement; 0 for no
            interval.
        seed: of the draws.
        confidence: nominal coverage of the interval, between 0 and 1.

    Raises:
        ValueError: as from :func:`harrell_c`, or if a number for the bootstrap is outside its range.

    Examples:
        >>> import numpy as np
        >>> import nnunetv2_adamss as adamss
        >>> time = np.arange(1, 61)
        >>> event = time % 3 > 0  # every third patient is censored
        >>> risk_score = 5 * np.sin(time) - time / 10
        >>> found = adamss.bootstrap_harrell_c(risk_score, event, time)
        >>> round(found.c_index, 2), [round(bound, 2) for bound in found.interval]
        (0.65, [0.53, 0.76])
    """
    n_resamples, seed, confidence = check_settings(n_resamples=n_resamples, seed=seed, confidence=confidence)
    risk_score, event, time = _checked_columns(risk_score, event, time)
    concordance = _concordance(risk_score, event, time)
    if concordance.c_index is None:
        return concordance
    cohort = ResampledCohort(event, time, n_resamples=n_resamples, seed=seed)
    (sums,) = harrell_pairs(risk_score, cohort)
    interval, no_interval = percentile_interval(
        sums.share[1:], "have no comparable pair", confidence, sums.n_events
    )
    reason = "; ".join(filter(None, [concordance.reason, no_interval])) or None
    return replace(concordance, interval=interval, reason=reason)


@dataclass(frozen=True)
class CrossValidatedC:
    """Harrell's C of the folds of a cross-validation.

    Attributes:
        pooled: over all comparable pairs within folds, which is the folds' mean weighted by their pairs.
        folds: of each fold, in the cohort's order.
    """

    pooled: PairEstimate
    folds: list[PairEstimate]


def cross_validated_c(risk_score: Column, cohort: ResampledCohort) -> CrossValidatedC:
    """Harrell's C within folds, with its interval over resamples of patients within folds.

    Args:
        risk_score: higher for an earlier event, ``(n_cases,)``; scores of different folds are never compared.
        cohort: the patients and their folds.
    """
    risk_score = cohort.column("risk_score", risk_score)
    if reason := not_finite(risk_score):
        missing = PairEstimate(None, reason=reason)
        return CrossValidatedC(missing, [missing] * len(cohort.folds))
    folds = harrell_pairs(risk_score, cohort)
    return CrossValidatedC(pooled(folds).estimate(), [fold.estimate() for fold in folds])


def harrell_pairs(risk_score: NDArray[np.floating], cohort: ResampledCohort) -> list[PairSums]:
    """Count the pairs of Harrell's C in each fold; arguments as for ``cross_validated_c``, scores finite."""
    return sum_pairs(risk_score, cohort, cohort.event, lives_longer(cohort.event, cohort.time))


def lives_longer(
    event: NDArray[np.bool_], time: NDArray[np.floating]
) -> Callable[[NDArray[np.intp], NDArray[np.intp]], NDArray[np.bool_]]:
    """Return a function that finds, ``(k, n)``, which others (n) are known to outlive patients with an event (k).

    At equal times, only censored patients outlive the event.
    """

    def is_later(rows: NDArray[np.intp], others: NDArray[np.intp]) -> NDArray[np.bool_]:
        first, second = time[rows, None], time[others]
        return (second > first) | ((second == first) & ~event[others])

    return is_later


def _c_index(
    risk_score: NDArray[np.floating], event: NDArray[np.bool_], time: NDArray[np.floating]
) -> float | None:
    try:
        return float(concordance_index(time, time_order_from_risk(risk_score), event))
    except ZeroDivisionError:  # lifelines raises it if no pair is comparable
        return None


def _later_patients(event: NDArray[np.bool_], time: NDArray[np.floating]) -> NDArray[np.int64]:
    """Number of patients who are known to outlive each patient with an event, ``(n_events,)``."""
    times, censored_times = np.sort(time), np.sort(time[~event])
    later = len(times) - np.searchsorted(times, time[event], side="right")
    censored_at = np.searchsorted(censored_times, time[event], side="right") - np.searchsorted(
        censored_times, time[event], side="left"
    )
    return later + censored_at


def _count_outliving(event: NDArray[np.bool_], time: NDArray[np.floating]) -> int:
    """Number of patients who are known to outlive one with an event."""
    first = time[event].min(initial=np.inf)
    return int(((time > first) | ((time == first) & ~event)).sum())
