"""ICARE: signs instead of weights, bagged; the winner of HECKTOR 2022's outcome task.

Rebaud et al., "Simplicity is All You Need: Out-of-the-Box nnUNet followed by Binary-Weighted Radiomic Model for
Segmentation and Outcome Prediction in Head and Neck PET/CT", HECKTOR 2022, LNCS 13626, 2023.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnunetv2_adamss.survival.messages import listed

logger = logging.getLogger(__name__)

# Risks are means of z-scores, so less than this is rounding.
_NO_SPREAD = 1e-9


class IcareSettings(NamedTuple):
    """Which features an estimator uses; by default all.

    Args:
        rho: a feature goes if its absolute Pearson correlation with an earlier one is higher, in (0, 1].
        cmin: a feature goes if neither it nor its opposite reaches this C-index, in [0.5, 1].
        max_features: share of the features that is drawn, in (0, 1]; at least one is.
    """

    rho: float = 1.0
    cmin: float = 0.5
    max_features: float = 1.0


ALL_FEATURES = IcareSettings()
# The five best of the 1,000 sets that the challenge's winners tried.
ICARE_SETTINGS = (
    IcareSettings(0.66, 0.53, 0.00823),
    IcareSettings(0.72, 0.59, 0.00947),
    IcareSettings(0.87, 0.55, 0.0613),
    IcareSettings(0.57, 0.51, 0.00576),
    IcareSettings(0.71, 0.57, 0.1613),
)


class _Training(NamedTuple):
    """The training cases: features ``(n_cases, n_features)``, event and time ``(n_cases,)``."""

    features: pd.DataFrame
    event: NDArray[np.bool_]
    time: NDArray[np.floating]

    def of(self, cases: NDArray[np.integer]) -> "_Training":
        """Some of the cases, perhaps some of them more than once."""
        return _Training(self.features.iloc[cases], self.event[cases], self.time[cases])


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
        """Risk score, higher for an earlier event, ``(n_cases,)``: mean 0 and deviation 1 in the training cases.

        Args:
            features: ``(n_cases, n_features)``, NaN where missing. A missing value is left out of the mean.
                choice: a case that lacks all the estimator's features gets 0, the training mean.
        """
        if not self.names:
            return np.ones(len(features))
        risk = (self.mean_signed_z_score(features) - self.mean_risk) / self.risk_deviation
        return np.where(np.isnan(risk), 0.0, risk)

    def mean_signed_z_score(self, features: pd.DataFrame) -> NDArray[np.float64]:
        """The risk before it is standardised, ``(n_cases,)``; NaN for a case that lacks all the features."""
        z_scores = (_values(features[list(self.names)]) - self.means) / self.deviations
        return _mean_of_known(z_scores * self.signs)

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in vars(self).items()
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "BinaryWeighted":
        """From plain data."""
        lists = ("names", "signs", "means", "deviations")
        return cls(**{**values, **{name: tuple(values[name]) for name in lists}})


@dataclass(frozen=True)
class IcareModel:
    """Estimators of bootstrap samples, which predict by their median; plain data."""

    estimators: tuple[BinaryWeighted, ...]

    @property
    def n_parameters(self) -> int:
        """One sign for each feature of each estimator."""
        return sum(len(one.signs) for one in self.estimators)

    def risk_score(self, features: pd.DataFrame) -> NDArray[np.float64]:
        """Risk score, higher for an earlier event, ``(n_cases,)``.

        Args:
            features: ``(n_cases, n_features)`` in any order of columns, NaN where missing.

        Raises:
            ValueError: if a feature that an estimator uses is not there, or a value is infinite.
        """
        used = sorted({name for estimator in self.estimators for name in estimator.names})
        if missing := [name for name in used if name not in features]:
            raise ValueError(f"{len(missing)} feature(s) of the ICARE model are missing: {listed(missing)}.")
        _check_finite(features[used])
        return np.median([estimator.risk_score(features) for estimator in self.estimators], axis=0)

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {"estimators": [estimator.to_dict() for estimator in self.estimators]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "IcareModel":
        """From plain data."""
        return cls(tuple(map(BinaryWeighted.from_dict, values["estimators"])))


def fit_icare(
    features: pd.DataFrame,
    event: NDArray[np.bool_],
    time: NDArray[np.floating],
    *,
    seed: int,
    n_estimators: int = 1000,
    settings: Sequence[IcareSettings] = ICARE_SETTINGS,
    mandatory: Sequence[str] = (),
) -> IcareModel:
    """Fit each estimator to a bootstrap sample of the cases, with settings drawn at random.

    Args:
        features: ``(n_cases, n_features)``, numbers, NaN where missing.
        event: True where the event was observed, ``(n_cases,)``.
        time: time to event or censoring, ``(n_cases,)``.
        seed: of all draws.
        n_estimators: at least 1.
        settings: at least one; each has the same chance.
        mandatory: features that every estimator considers.

    Raises:
        ValueError: if the inputs do not fit together, or no pair of cases tells which of the two comes first.
    """
    training = _checked(features, event, time, mandatory)
    if n_estimators < 1 or not settings:
        raise ValueError(f"ICARE needs estimators and settings, but got {n_estimators} and {len(settings)}.")
    rng = np.random.default_rng(seed)
    estimators = []
    for _ in range(n_estimators):
        drawn = rng.integers(len(time), size=len(time))
        chosen = settings[int(rng.integers(len(settings)))]
        estimators.append(_fit(training.of(drawn), rng, chosen, mandatory))
    n_without = sum(not estimator.names for estimator in estimators)
    if n_without > n_estimators / 2:
        logger.warning(
            "%d of %d ICARE estimators found no feature that ranks the patients, so the median says the same of all.",
            n_without,
            n_estimators,
        )
    return IcareModel(tuple(estimators))


def fit_binary_weighted(
    features: pd.DataFrame,
    event: NDArray[np.bool_],
    time: NDArray[np.floating],
    *,
    seed: int = 0,
    settings: IcareSettings = ALL_FEATURES,
    mandatory: Sequence[str] = (),
) -> BinaryWeighted:
    """Fit a single estimator to all cases.

    Args:
        features: ``(n_cases, n_features)``, numbers, NaN where missing.
        event: True where the event was observed, ``(n_cases,)``.
        time: time to event or censoring, ``(n_cases,)``.
        seed: of the features that are drawn, and of their order.
        settings: which features are used.
        mandatory: features to consider whether or not they are drawn.

    Raises:
        ValueError: as ``fit_icare`` does.
    """
    training = _checked(features, event, time, mandatory)
    return _fit(training, np.random.default_rng(seed), settings, mandatory)


def univariate_concordance(
    columns: NDArray[np.float64], event: NDArray[np.bool_], time: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Harrell's C of every column by itself, on the cases that have a value, as ``harrell_c`` defines it.

    Args:
        columns: taken as risks, NaN where missing, ``(n_cases, n_columns)``.
        event: ``(n_cases,)``.
        time: ``(n_cases,)``.

    Returns:
        ``(n_columns,)``, NaN where no pair of cases is comparable.
    """
    # Ascending times, of equal ones events first: those that an event is compared with are the tail of the list.
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


def _fit(
    training: _Training, rng: np.random.Generator, settings: IcareSettings, mandatory: Sequence[str]
) -> BinaryWeighted:
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


def _draw_columns(
    features: pd.DataFrame, rng: np.random.Generator, share: float, mandatory: Sequence[str]
) -> NDArray[np.integer]:
    """Places of the columns, in an order drawn at random, which is what the correlation filter goes by."""
    n_columns = features.shape[1]
    drawn = rng.choice(n_columns, max(1, int(share * n_columns)), replace=False)
    return rng.permutation(np.union1d(drawn, np.flatnonzero(features.columns.isin(mandatory))))


def _repeats_an_earlier_one(candidates: pd.DataFrame, rho: float) -> NDArray[np.bool_]:
    """By column, on the cases that have both.

    choice: an earlier column counts even if it is itself dropped.
    """
    correlation = candidates.corr().abs().to_numpy()
    return np.any(np.triu(correlation, k=1) > rho, axis=0)


def _mean_of_known(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """By row, ``(n_cases,)``; NaN where nothing is known."""
    n_known = np.sum(~np.isnan(values), axis=1)
    nothing = np.full(len(values), np.nan)
    return np.divide(np.nansum(values, axis=1), n_known, out=nothing, where=n_known > 0)


def _values(features: pd.DataFrame) -> NDArray[np.float64]:
    return features.to_numpy(dtype=np.float64)


def _checked(
    features: pd.DataFrame,
    event: NDArray[np.bool_],
    time: NDArray[np.floating],
    mandatory: Sequence[str],
) -> _Training:
    if not len(features) == len(event) == len(time):
        raise ValueError(
            f"'features' have {len(features)} cases, 'event' {len(event)} and 'time' {len(time)}."
        )
    if not features.shape[1] or not features.columns.is_unique:
        raise ValueError("ICARE needs at least one feature, and no name twice.")
    if unknown := [name for name in mandatory if name not in features]:
        raise ValueError(
            f"{len(unknown)} mandatory feature(s) are not among the features: {listed(unknown)}."
        )
    _check_finite(features)
    if np.isnan(univariate_concordance(np.zeros((len(time), 1)), event, time)).all():
        raise ValueError(
            f"ICARE cannot be fitted: no comparable pair among {len(time)} patients with {int(event.sum())} events."
        )
    return _Training(features.astype(np.float64), event, time)


def _check_finite(features: pd.DataFrame) -> None:
    is_infinite = np.any(np.isinf(_values(features)), axis=0).tolist()
    if names := [str(name) for name, faulty in zip(features, is_infinite, strict=True) if faulty]:
        raise ValueError(f"{len(names)} feature(s) have infinite values: {listed(names)}.")
