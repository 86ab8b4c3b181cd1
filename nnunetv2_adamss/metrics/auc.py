"""Time-dependent AUC: how well a risk separates patients with the event by a horizon from those without."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnunetv2_adamss.metrics.estimate import PairEstimate
from nnunetv2_adamss.metrics.pairs import not_finite, pooled, sum_pairs
from nnunetv2_adamss.metrics.patient_columns import Column
from nnunetv2_adamss.metrics.resampling import DEFAULT_RESAMPLES, ResampledCohort
from nnunetv2_adamss.metrics.settings import check_settings


@dataclass(frozen=True)
class HorizonAuc(PairEstimate):
    """The AUC at one horizon.

    Attributes:
        horizon: in the unit of the times.
    """

    horizon: float = 0.0


def cumulative_dynamic_auc(
    risk_score: Column,
    event: Column,
    time: Column,
    horizon: float,
    *,
    fold: Column | None = None,
    n_resamples: int = DEFAULT_RESAMPLES,
    seed: int = 0,
) -> HorizonAuc:
    """Time-dependent AUC at a horizon, with its 95% interval.

    The share of pairs in the right order, of a patient with the event by the horizon and one without. Arrays, lists and
    pandas columns are taken as by :func:`harrell_c`.

    Args:
        risk_score: higher for an earlier event, ``(n_cases,)``.
        event: True or 1 where the event was observed, ``(n_cases,)``.
        time: to event or censoring, ``(n_cases,)``.
        horizon: in the unit of the times.
        fold: number of the fold that predicted each patient, ``(n_cases,)``; risks of different folds are not compared.
        n_resamples: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        ValueError: as from :func:`bootstrap_harrell_c`, or if the horizon is not above 0.

    Examples:
        >>> import numpy as np
        >>> import nnunetv2_adamss as adamss
        >>> time = np.arange(1, 61)
        >>> event = time % 3 > 0  # every third patient is censored
        >>> risk_score = 5 * np.sin(time) - time / 10
        >>> found = adamss.cumulative_dynamic_auc(risk_score, event, time, horizon=30)
        >>> round(found.value, 2), [round(bound, 2) for bound in found.interval]
        (0.7, [0.5, 0.85])
    """
    (horizon,) = check_settings(horizon=horizon)
    cohort = ResampledCohort(event, time, fold, n_resamples=n_resamples, seed=seed)
    return auc_in_cohort(risk_score, cohort, horizon)


def auc_in_cohort(risk_score: Column, cohort: ResampledCohort, horizon: float) -> HorizonAuc:
    """AUC of cumulative cases against dynamic controls (Uno et al., JASA 2007), within folds, with its interval.

    A patient with the event at t weighs 1 / G(t-), where G is the Kaplan-Meier curve of censoring; equal risks
    count half.

    Args:
        risk_score: higher for an earlier event, ``(n_cases,)``.
        cohort: the patients.
        horizon: in the unit of the times.
    """
    risk_score = cohort.column("risk_score", risk_score)
    if reason := cohort.beyond_follow_up(horizon) or not_finite(risk_score):
        return HorizonAuc(None, reason=reason, horizon=horizon)
    lives_on = cohort.time > horizon

    def is_control(rows: NDArray[np.intp], others: NDArray[np.intp]) -> NDArray[np.bool_]:
        return np.broadcast_to(lives_on[others], (len(rows), len(others)))

    sums = sum_pairs(risk_score, cohort, cohort.event & ~lives_on, is_control, cohort.event_weights)
    found = pooled(sums).estimate()
    return HorizonAuc(found.value, found.interval, found.reason, found.n_pairs, horizon)
