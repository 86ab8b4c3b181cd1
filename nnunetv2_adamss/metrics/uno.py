"""Uno's concordance index: Harrell's pairs, weighted so that censoring does not decide which of them count."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnunetv2_adamss.metrics.concordance import lives_longer
from nnunetv2_adamss.metrics.estimate import PairEstimate
from nnunetv2_adamss.metrics.pairs import not_finite, pooled, sum_pairs
from nnunetv2_adamss.metrics.resampling import ResampledCohort


@dataclass(frozen=True)
class UnoC(PairEstimate):
    """Uno's C.

    Attributes:
        truncation_time: pairs count whose earlier time is below it.
    """

    truncation_time: float = np.inf


def uno_c(
    risk_score: NDArray[np.floating], cohort: ResampledCohort, truncation_time: float | None = None
) -> UnoC:
    """Uno et al., Statistics in Medicine 2011, within folds, with its bootstrap interval.

    Pairs weigh 1 / G(t-)^2, where G is the Kaplan-Meier curve of censoring of all evaluated patients, and t the earlier
    time. Ties as in Harrell's C. In each resample G is estimated anew; the truncation time stays.

    Args:
        risk_score: higher for an earlier event, ``(n_cases,)``.
        cohort: the patients.
        truncation_time: default where follow-up thins out to a tenth.
    """
    limit = cohort.follow_up_limit if truncation_time is None else truncation_time
    if reason := not_finite(risk_score):
        return UnoC(None, reason=reason, truncation_time=limit)
    is_earlier = cohort.event & (cohort.time < limit)
    sums = sum_pairs(
        risk_score, cohort, is_earlier, lives_longer(cohort.event, cohort.time), cohort.event_weights**2
    )
    found = pooled(sums).estimate()
    return UnoC(found.value, found.interval, found.reason, found.n_pairs, limit)
