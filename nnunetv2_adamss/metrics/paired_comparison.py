"""Comparison of two risk scores on the same patients: the paired bootstrap of two C-indices."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nnunetv2_adamss.metrics.concordance import harrell_pairs
from nnunetv2_adamss.metrics.estimate import Estimate, PairEstimate, least_p, percentile_interval, two_sided_p
from nnunetv2_adamss.metrics.pairs import not_finite, pooled
from nnunetv2_adamss.metrics.patient_columns import Column
from nnunetv2_adamss.metrics.resampling import ResampledCohort


@dataclass(frozen=True)
class Comparison:
    """Two risk scores on the same patients, by Harrell's C.

    Attributes:
        first: C-index of the first score.
        second: C-index of the second score.
        difference: first minus second.
        p_value: two-sided; None if there is no difference to test.
        is_bound: whether no resample contradicts the difference, so that P may be smaller still.
    """

    first: PairEstimate
    second: PairEstimate
    difference: Estimate
    p_value: float | None
    is_bound: bool = False


def compare(first: Column, second: Column, cohort: ResampledCohort) -> Comparison:
    """Compare two risk scores in the same resamples.

    The P value comes from the same resamples as the interval: it is under 5% where the interval excludes zero.

    Args:
        first: higher for an earlier event, ``(n_cases,)``.
        second: the same.
        cohort: the patients; pairs are within its folds.
    """
    first, second = cohort.column("first", first), cohort.column("second", second)
    if reason := not_finite(first) or not_finite(second):
        missing = PairEstimate(None, reason=reason)
        return Comparison(missing, missing, missing, None)
    sums = [pooled(harrell_pairs(risk_score, cohort)) for risk_score in (first, second)]
    first_c, second_c = (part.estimate() for part in sums)
    if reason := sums[0].why_too_few:
        return Comparison(first_c, second_c, Estimate(None, reason=reason), None)
    differences, n_events = sums[0].share - sums[1].share, sums[0].n_events
    interval, reason = percentile_interval(differences[1:], "have no comparable pair", n_events=n_events)
    difference = Estimate(float(differences[0]), interval, reason)
    if interval is None:
        return Comparison(first_c, second_c, difference, None)
    p_value = two_sided_p(differences[1:], n_events)
    is_bound = p_value <= least_p(int(np.isfinite(differences[1:]).sum()), n_events)
    return Comparison(first_c, second_c, difference, p_value, is_bound)


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Correct the P values that are not None by Holm's method (Scandinavian Journal of Statistics 1979)."""
    given = [(p, place) for place, p in enumerate(p_values) if p is not None]
    corrected: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for n_smaller, (p, place) in enumerate(sorted(given)):
        highest = max(highest, min(1.0, p * (len(given) - n_smaller)))
        corrected[place] = highest
    return corrected
