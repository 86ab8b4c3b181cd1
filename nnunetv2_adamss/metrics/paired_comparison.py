"""Whether one risk score ranks patients better than another: the paired bootstrap of two C-indices."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnunetv2_adamss.metrics.concordance import harrell_pairs
from nnunetv2_adamss.metrics.estimate import Estimate, PairEstimate, percentile_interval
from nnunetv2_adamss.metrics.pairs import MIN_PAIRS, few_pairs, not_finite, pooled
from nnunetv2_adamss.metrics.resampling import ResampledCohort


@dataclass(frozen=True)
class Comparison:
    """Two risk scores on the same patients, by Harrell's C.

    Attributes:
        first: of the first score.
        second: of the other.
        difference: first less second.
        p_value: two-sided; None if there is no difference to test.
    """

    first: PairEstimate
    second: PairEstimate
    difference: Estimate
    p_value: float | None


def compare(first: NDArray[np.floating], second: NDArray[np.floating], cohort: ResampledCohort) -> Comparison:
    """Compare two risk scores in the same resamples.

    The P value is twice the smaller share of resamples on one side of no difference, each side counting one more so
    that it is never 0.

    Args:
        first: higher for an earlier event, ``(n_cases,)``.
        second: the same.
        cohort: the patients; pairs are within its folds.
    """
    if reason := not_finite(first) or not_finite(second):
        missing = PairEstimate(None, reason=reason)
        return Comparison(missing, missing, missing, None)
    sums = [pooled(harrell_pairs(risk_score, cohort)) for risk_score in (first, second)]
    first_c, second_c = (part.estimate() for part in sums)
    if sums[0].n_pairs < MIN_PAIRS:
        return Comparison(first_c, second_c, Estimate(None, reason=few_pairs(sums[0].n_pairs)), None)
    differences = sums[0].share - sums[1].share
    interval, reason = percentile_interval(differences[1:], "have no comparable pair")
    difference = Estimate(float(differences[0]), interval, reason)
    return Comparison(first_c, second_c, difference, _two_sided_p(differences[1:]) if interval else None)


def _two_sided_p(differences: NDArray[np.float64]) -> float:
    estimable = differences[np.isfinite(differences)]
    smaller_side = min((estimable <= 0).sum(), (estimable >= 0).sum())
    return float(min(1.0, 2 * (smaller_side + 1) / (len(estimable) + 1)))


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Holm's correction of the P values that there are (Scandinavian Journal of Statistics 1979)."""
    given = [(p, place) for place, p in enumerate(p_values) if p is not None]
    corrected: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for n_smaller, (p, place) in enumerate(sorted(given)):
        highest = max(highest, min(1.0, p * (len(given) - n_smaller)))
        corrected[place] = highest
    return corrected
