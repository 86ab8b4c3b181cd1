"""Time-dependent AUC: how well a risk tells who has had the event by a horizon from who lives on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnunetv2_adamss.metrics.estimate import PairEstimate
from nnunetv2_adamss.metrics.pairs import not_finite, pooled, sum_pairs
from nnunetv2_adamss.metrics.resampling import ResampledCohort


@dataclass(frozen=True)
class HorizonAuc(PairEstimate):
    """The AUC at one horizon.

    Attributes:
        horizon: in the unit of the times.
    """

    horizon: float = 0.0


def cumulative_dynamic_auc(
    risk_score: NDArray[np.floating], cohort: ResampledCohort, horizon: float
) -> HorizonAuc:
    """Cumulative cases against dynamic controls (Uno et al., JASA 2007), within folds, with its bootstrap interval.

    A patient with the event at t weighs 1 / G(t-), where G is the Kaplan-Meier curve of censoring; equal risks
    count half.

    Args:
        risk_score: higher for an earlier event, ``(n_cases,)``.
        cohort: the patients.
        horizon: in the unit of the times.
    """
    if reason := cohort.beyond_follow_up(horizon) or not_finite(risk_score):
        return HorizonAuc(None, reason=reason, horizon=horizon)
    lives_on = cohort.time > horizon

    def is_control(rows: NDArray[np.intp], others: NDArray[np.intp]) -> NDArray[np.bool_]:
        return np.broadcast_to(lives_on[others], (len(rows), len(others)))

    sums = sum_pairs(risk_score, cohort, cohort.event & ~lives_on, is_control, cohort.event_weights)
    found = pooled(sums).estimate()
    return HorizonAuc(found.value, found.interval, found.reason, found.n_pairs, horizon)
