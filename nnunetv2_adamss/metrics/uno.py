"""Uno's concordance index: Harrell's pairs, weighted so that the result does not depend on censoring."""

from dataclasses import dataclass

import numpy as np

from nnunetv2_adamss.metrics.concordance import lives_longer
from nnunetv2_adamss.metrics.estimate import PairEstimate
from nnunetv2_adamss.metrics.pairs import not_finite, pooled, sum_pairs
from nnunetv2_adamss.metrics.patient_columns import Column
from nnunetv2_adamss.metrics.resampling import DEFAULT_RESAMPLES, ResampledCohort
from nnunetv2_adamss.metrics.settings import check_settings


@dataclass(frozen=True)
class UnoC(PairEstimate):
    """Uno's C with its interval.

    Attributes:
        truncation_time: pairs count whose earlier time is below it.
    """

    truncation_time: float = np.inf


def uno_c(
    risk_score: Column,
    event: Column,
    time: Column,
    truncation_time: float | None = None,
    *,
    fold: Column | None = None,
    n_resamples: int = DEFAULT_RESAMPLES,
    seed: int = 0,
) -> UnoC:
    """Uno's C, which does not depend on when patients were censored, with its 95% interval.

    Arrays, lists and pandas columns are taken as by :func:`harrell_c`.

    Args:
        risk_score: higher for an earlier event, ``(n_cases,)``.
        event: True or 1 where the event was observed, ``(n_cases,)``.
        time: to event or censoring, ``(n_cases,)``.
        truncation_time: only events before it count; default where follow-up thins out to a tenth.
        fold: number of the fold that predicted each patient, ``(n_cases,)``; risks of different folds are not compared.
        n_resamples: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        ValueError: as from :func:`bootstrap_harrell_c`, or if the truncation time is not above 0.

    Examples:
        >>> import numpy as np
        >>> import nnunetv2_adamss as adamss
        >>> time = np.arange(1, 61)
        >>> event = time % 3 > 0  # every third patient is censored
        >>> risk_score = 5 * np.sin(time) - time / 10
        >>> found = adamss.uno_c(risk_score, event, time, truncation_time=40)
        >>> round(found.value, 2), [round(bound, 2) for bound in found.interval]
        (0.66, [0.52, 0.78])
    """
    if truncation_time is not None:
        (truncation_time,) = check_settings(truncation_time=truncation_time)
    cohort = ResampledCohort(event, time, fold, n_resamples=n_resamples, seed=seed)
    return uno_c_in_cohort(risk_score, cohort, truncation_time)


def uno_c_in_cohort(
    risk_score: Column, cohort: ResampledCohort, truncation_time: float | None = None
) -> UnoC:
    """Uno's C within folds, with its bootstrap interval (Uno et al., Statistics in Medicine 2011).

    Pairs weigh 1 / G(t-)^2, where G is the Kaplan-Meier curve of censoring of all evaluated patients, and t the earlier
    time. Ties as in Harrell's C. In each resample G is estimated again; the truncation time stays.

    Args:
        risk_score: higher for an earlier event, ``(n_cases,)``.
        cohort: the patients.
        truncation_time: default where follow-up thins out to a tenth.
    """
    risk_score = cohort.column("risk_score", risk_score)
    limit = cohort.follow_up_limit if truncation_time is None else truncation_time
    if reason := not_finite(risk_score):
        return UnoC(None, reason=reason, truncation_time=limit)
    is_earlier = cohort.event & (cohort.time < limit)
    sums = sum_pairs(
        risk_score, cohort, is_earlier, lives_longer(cohort.event, cohort.time), cohort.event_weights**2
    )
    found = pooled(sums).estimate()
    return UnoC(found.value, found.interval, found.reason, found.n_pairs, limit)
