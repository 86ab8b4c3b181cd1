"""Pairs of patients in the right order, counted in all bootstrap resamples together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnunetv2_adamss.metrics.estimate import MIN_EVENTS, PairEstimate, percentile_interval
from nnunetv2_adamss.metrics.resampling import ResampledCohort

_BLOCK = 4_000_000  # pairs counted together: 16 MB


@dataclass(frozen=True, eq=False)
class PairSums:
    """Weighted counts of pairs; entry 0 is of the patients themselves, the others of resamples.

    Attributes:
        concordant: pairs in which the earlier event has the higher risk, equal risks a half, ``(1 + n_resamples,)``.
        comparable: all pairs of which the order is known, of the same shape.
        n_pairs: comparable pairs of the patients themselves, without weights.
        is_earlier: True for patients whose event is the earlier time of such a pair, ``(n_cases,)``.
        is_later: True for patients who outlive such an event, ``(n_cases,)``.
    """

    concordant: NDArray[np.float64]
    comparable: NDArray[np.float64]
    n_pairs: int
    is_earlier: NDArray[np.bool_]
    is_later: NDArray[np.bool_]

    @property
    def share(self) -> NDArray[np.float64]:
        """Share of concordant among comparable pairs, ``(1 + n_resamples,)``; NaN where no pair is comparable."""
        nothing = np.full_like(self.concordant, np.nan)
        return np.divide(self.concordant, self.comparable, out=nothing, where=self.comparable > 0)

    @property
    def why_too_few(self) -> str | None:
        """Reason why there are too few pairs; None if there are enough."""
        return too_few(int(self.is_earlier.sum()), int(self.is_later.sum()))

    @property
    def n_events(self) -> int:
        """Patients on the smaller side of the pairs, mostly the events; their number decides the width of intervals."""
        return int(min(self.is_earlier.sum(), self.is_later.sum()))

    def estimate(self) -> PairEstimate:
        """The share with its interval; with fewer than 10 events the reason why there is none."""
        if reason := self.why_too_few:
            return PairEstimate(None, reason=reason, n_pairs=self.n_pairs)
        interval, reason = percentile_interval(
            self.share[1:], "have no comparable pair", n_events=self.n_events
        )
        return PairEstimate(float(self.share[0]), interval, reason, self.n_pairs)


def pooled(folds: Sequence[PairSums]) -> PairSums:
    """The pairs of all folds together."""
    return PairSums(
        np.sum([fold.concordant for fold in folds], axis=0),
        np.sum([fold.comparable for fold in folds], axis=0),
        sum(fold.n_pairs for fold in folds),
        np.any([fold.is_earlier for fold in folds], axis=0),
        np.any([fold.is_later for fold in folds], axis=0),
    )


def too_few(n_events: int, n_later: int) -> str | None:
    """Return the reason why no share of pairs is estimated, or None.

    Args:
        n_events: patients whose event is the earlier time of a comparable pair.
        n_later: patients who outlive such an event.
    """
    if n_events < MIN_EVENTS:
        return f"not estimable: only {n_events} events in comparable pairs, at least {MIN_EVENTS} are needed"
    if n_later < MIN_EVENTS:
        return f"not estimable: only {n_later} patients outlive an event, at least {MIN_EVENTS} are needed"
    return None


def not_finite(risk_score: NDArray[np.floating]) -> str | None:
    """Return the reason if risk scores are not all finite, or None."""
    n_faulty = int((~np.isfinite(risk_score)).sum())
    return f"not estimable: {n_faulty} of {len(risk_score)} risk scores are not finite" if n_faulty else None


def sum_pairs(
    risk_score: NDArray[np.floating],
    cohort: ResampledCohort,
    is_earlier: NDArray[np.bool_],
    is_later: Callable[[NDArray[np.intp], NDArray[np.intp]], NDArray[np.bool_]],
    weights: NDArray[np.floating] | None = None,
) -> list[PairSums]:
    """Count the pairs of each fold.

    Args:
        risk_score: finite, higher for an earlier event, ``(n_cases,)``.
        cohort: the patients.
        is_earlier: True for patients who may be the earlier one of a pair, ``(n_cases,)``.
        is_later: whether, for earlier patients (k) and others (n), the pair is comparable, ``(k, n)``.
        weights: of the earlier patient in a pair, ``(1 + n_resamples, n_cases)``; default 1.

    Returns:
        One entry a fold, in the cohort's order.
    """
    return [
        pooled(
            [
                _sum_block(risk_score, cohort.counts, (rows, others), is_later(rows, others), weights)
                for rows in _blocks(others[is_earlier[others]], len(others))
            ]
        )
        for others in cohort.folds
    ]


def _blocks(earlier: NDArray[np.intp], n_others: int) -> list[NDArray[np.intp]]:
    return np.array_split(earlier, 1 + len(earlier) * n_others // _BLOCK)


def _sum_block(
    risk_score: NDArray[np.floating],
    counts: NDArray[np.float32],
    patients: tuple[NDArray[np.intp], NDArray[np.intp]],
    comparable: NDArray[np.bool_],
    weights: NDArray[np.floating] | None,
) -> PairSums:
    earlier, others = patients
    order = np.sign(risk_score[earlier, None] - risk_score[others]).astype(np.float32)
    in_order = comparable * (order + 1) / 2
    of_earlier = counts[:, earlier].astype(np.float64)
    if weights is not None:
        of_earlier *= weights[:, earlier]
    # Halves and whole numbers under 2^23: exact in float32, whose matrix product is the fastest.
    of_others = counts[:, others]
    is_earlier, is_later = np.zeros((2, len(risk_score)), dtype=bool)
    is_earlier[earlier], is_later[others] = comparable.any(axis=1), comparable.any(axis=0)
    return PairSums(
        np.einsum("bk,bk->b", of_earlier, of_others @ in_order.T),
        np.einsum("bk,bk->b", of_earlier, of_others @ comparable.T.astype(np.float32)),
        int(comparable.sum()),
        is_earlier,
        is_later,
    )
