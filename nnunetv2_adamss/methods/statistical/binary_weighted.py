"""An estimator of ICARE: the mean of features that count with a sign instead of a weight.

Rebaud et al. 2023, see ``icare.py``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnunetv2_adamss.common.kinds import Kind, check_kinds, is_number, is_positive, list_of

# Risks are means of z-scores, so smaller deviations are rounding errors.
_NO_SPREAD = 1e-9


class IcareSettings(NamedTuple):
    """Choice of an estimator's features; by default all.

    Args:
        rho: a feature is dropped if its absolute Pearson correlation with an earlier one is higher, in (0, 1].
        cmin: a feature is dropped if neither it nor its negative reaches this C-index, in [0.5, 1].
        max_features: share of the features that is drawn, in (0, 1]; at least one is.
    """

    rho: float = 1.0
    cmin: float = 0.5
    max_features: float = 1.0


class Training(NamedTuple):
    """The training cases: features ``(n_cases, n_features)``, event and time ``(n_cases,)``."""

    features: pd.DataFrame
    event: NDArray[np.bool_]
    time: NDArray[np.floating]

    def of(self, cases: NDArray[np.integer]) -> "Training":
        """Return some of the cases, possibly some of them more than once."""
        return Training(self.features.iloc[cases], self.event[cases], self.time[cases])


_KINDS: dict[str, Kind] = {
    "names": list_of(str),
    "signs": list_of(lambda sign: sign in (-1, 1)),
    "means": list_of(is_number),
    "deviations": list_of(is_positive),
    "mean_risk": is_number,
    "risk_deviation": is_positive,
}


@dataclass(frozen=True)
class BinaryWeighted:
    """One estimator, the mean of z-scored features with a sign each; plain data.

    Args:
        names: of the features; if there are none, every case gets the risk 1.
        signs: 1 where a higher value goes with an earlier event, else -1.
        means: of the features in the training cases.
        deviations: standard deviations of the features there.
        mean_risk: of the mean signed z-scores there.
        risk_deviation: their standard deviation.
    """

    names: tuple[str, ...] = ()
    signs: tuple[int, ...] = ()
    means: tuple[float, ...] = ()
    deviations: tuple[float, ...] = ()
    mean_risk: float = 0.0
    risk_deviation: float = 1.0

    def risk_score(self, features: pd.DataFrame) -> NDArray[np.float64]:
        """Return the risk score, higher for an earlier event, ``(n_cases,)``: mean 0 and SD 1 in the training cases.

        Args:
            features: ``(n_cases, n_features)``, NaN where missing. A missing value is left out of the mean.
                choice: a case that lacks all the estimator's features gets 0, the training mean.
        """
        if not self.names:
            return np.ones(len(features))
        risk = (self.mean_signed_z_score(features) - self.mean_risk) / self.risk_deviation
        return np.where(np.isnan(risk), 0.0, risk)

    def mean_signed_z_score(self, features: pd.DataFrame) -> NDArray[np.float64]:
        """Return the risk before standardisation, ``(n_cases,)``; NaN for a case that lacks all the features."""
        z_scores = (_values(features[list(self.names)]) - self.means) / self.deviations
        return _mean_of_known(z_scores * self.signs)

    def to_dict(self) -> dict[str, Any]:
        """Return the estimator as plain data."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in vars(self).items()
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "BinaryWeighted":
        """Read an estimator from plain data.

        Raises:
            ValueError: if a figure is not finite, or a value has another type.
        """
        check_kinds(values, _KINDS, " of an estimator")
        lists = ("names", "signs", "means", "deviations")
        if len({len(values[name]) for name in lists}) > 1:
            raise ValueError("an estimator does not have one figure of each kind for each feature")
        return cls(**{**values, **{name: tuple(values[name]) for name in lists}})


def fit_binary_weighted(
    training: Training, rng: np.random.Generator, settings: IcareSettings, mandatory: Sequence[str] = ()
) -> BinaryWeighted:
    """Fit one estimator.

    Args:
        training: the cases, with at least one comparable pair.
        rng: draws the features, and their order.
        settings: which features are used.
        mandatory: features to consider whether or not they are drawn.
    """
    features, event, time = training
    candidates = features.iloc[:, _draw_columns(features, rng, settings.max_features, mandatory)]
    # choice: a column that does not vary in these cases is dropped first, since it has no z-score.
    candidates = candidates.loc[:, candidates.max() > candidates.min()]
    if settings.rho < 1:
        candidates = candidates.loc[:, ~_repeats_an_earlier_one(candidates, settings.rho)]
    c_index = univariate_concordance(_values(candidates), event, time)
    # False where there is no C-index.
    is_good = np.maximum(c_index, 1 - c_index) >= settings.cmin
    chosen, c_index = candidates.loc[:, is_good], c_index[is_good]
    if chosen.empty:
        return BinaryWeighted()
    # choice: standard deviations, of features and of the risk, are those of the population (divided by n).
    unscaled = BinaryWeighted(
        names=tuple(map(str, chosen)),
        signs=tuple(np.where(c_index < 0.5, -1, 1).tolist()),
        means=tuple(chosen.mean().tolist()),
        deviations=tuple(chosen.std(ddof=0).tolist()),
    )
    risk = unscaled.mean_signed_z_score(chosen)
    spread = float(np.nanstd(risk))
    return replace(
        unscaled, mean_risk=float(np.nanmean(risk)), risk_deviation=spread if spread > _NO_SPREAD else 1.0
    )


def univariate_concordance(
    columns: NDArray[np.float64], event: NDArray[np.bool_], time: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Compute Harrell's C of every single column on the cases that have a value, as in ``harrell_c``.

    Args:
        columns: taken as risks, NaN where missing, ``(n_cases, n_columns)``.
        event: ``(n_cases,)``.
        time: ``(n_cases,)``.

    Returns:
        ``(n_columns,)``, NaN where no pair of cases is comparable.
    """
    # Ascending times, events first among equal ones: an event is compared with the tail of the list.
    order = np.lexsort((~event, time))
    columns, event, time = columns[order], event[order], time[order]
    events = np.flatnonzero(event)
    tails = [np.sum((time < time[case]) | (event & (time == time[case]))) for case in events]
    concordant, comparable = np.zeros((2, columns.shape[1]))
    is_known = ~np.isnan(columns)
    for case, tail in zip(events, tails, strict=True):
        others = columns[tail:]
        concordant += (columns[case] > others).sum(axis=0) + (columns[case] == others).sum(axis=0) / 2
        comparable += is_known[case] * is_known[tail:].sum(axis=0)
    nothing = np.full_like(concordant, np.nan)
    return np.divide(concordant, comparable, out=nothing, where=comparable > 0)


def _draw_columns(
    features: pd.DataFrame, rng: np.random.Generator, share: float, mandatory: Sequence[str]
) -> NDArray[np.integer]:
    """Draw indices of columns in random order, in which the correlation filter takes them."""
    n_columns = features.shape[1]
    drawn = rng.choice(n_columns, max(1, int(share * n_columns)), replace=False)
    return rng.permutation(np.union1d(drawn, np.flatnonzero(features.columns.isin(mandatory))))


def _repeats_an_earlier_one(candidates: pd.DataFrame, rho: float) -> NDArray[np.bool_]:
    """Return True for each column that repeats an earlier one, on the cases that have both.

    choice: an earlier column counts even if it is itself dropped.
    """
    correlation = candidates.corr().abs().to_numpy()
    return np.any(np.triu(correlation, k=1) > rho, axis=0)


def _mean_of_known(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean by row, ``(n_cases,)``; NaN if all values are missing."""
    n_known = np.sum(~np.isnan(values), axis=1)
    nothing = np.full(len(values), np.nan)
    return np.divide(np.nansum(values, axis=1), n_known, out=nothing, where=n_known > 0)


def _values(features: pd.DataFrame) -> NDArray[np.float64]:
    return features.to_numpy(dtype=np.float64)
