"""ICARE: signs instead of weights, bagged; the winner of HECKTOR 2022's outcome task.

Rebaud et al., "Simplicity is All You Need: Out-of-the-Box nnUNet followed by Binary-Weighted Radiomic Model for
Segmentation and Outcome Prediction in Head and Neck PET/CT", HECKTOR 2022, LNCS 13626, 2023.

The authors' package icare 0.1.0 fails with scikit-learn 1.8, so this is an implementation of our own; tests compare it
with the package's answers.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.methods.statistical.binary_weighted import (
    BinaryWeighted,
    IcareSettings,
    Training,
    fit_binary_weighted,
    univariate_concordance,
)
from nnunetv2_adamss.methods.statistical.risk_model import TrainingInputs

logger = logging.getLogger(__name__)

# The five best of the 1,000 sets that the challenge's winners tried.
ICARE_SETTINGS = (
    IcareSettings(0.66, 0.53, 0.00823),
    IcareSettings(0.72, 0.59, 0.00947),
    IcareSettings(0.87, 0.55, 0.0613),
    IcareSettings(0.57, 0.51, 0.00576),
    IcareSettings(0.71, 0.57, 0.1613),
)


@dataclass(frozen=True)
class IcareModel:
    """Estimators of bootstrap samples, which predict by their median; plain data."""

    estimators: tuple[BinaryWeighted, ...]

    @property
    def n_parameters(self) -> int:
        """Number of signs, one for each feature of each estimator."""
        return sum(len(one.signs) for one in self.estimators)

    def risk_score(self, features: pd.DataFrame) -> NDArray[np.float64]:
        """Return the risk score, higher for an earlier event, ``(n_cases,)``.

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
        """Return the estimators as plain data."""
        return {"estimators": [estimator.to_dict() for estimator in self.estimators]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "IcareModel":
        """Read the estimators from plain data."""
        return cls(tuple(map(BinaryWeighted.from_dict, values["estimators"])))


def fit(training: TrainingInputs) -> IcareModel:
    """Fit an ensemble on all features and the clinical indicators."""
    # choice: every estimator sees the clinical indicators, beside the features that it draws.
    return fit_icare(
        pd.concat([training.features, training.covariates], axis=1),
        training.event,
        training.time,
        seed=training.seed,
        mandatory=[str(name) for name in training.covariates],
    )


read = IcareModel.from_dict


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
        ValueError: if the inputs do not fit together, or no pair of cases is comparable.
    """
    training = _checked(features, event, time, mandatory)
    if n_estimators < 1 or not settings:
        raise ValueError(f"ICARE needs estimators and settings, but got {n_estimators} and {len(settings)}.")
    rng = np.random.default_rng(seed)
    estimators = []
    for _ in range(n_estimators):
        drawn = rng.integers(len(time), size=len(time))
        chosen = settings[int(rng.integers(len(settings)))]
        estimators.append(fit_binary_weighted(training.of(drawn), rng, chosen, mandatory))
    n_without = sum(not estimator.names for estimator in estimators)
    if n_without > n_estimators / 2:
        logger.warning(
            "%d of %d ICARE estimators found no feature that ranks the patients, so the median is the same for all.",
            n_without,
            n_estimators,
        )
    return IcareModel(tuple(estimators))


def _checked(
    features: pd.DataFrame,
    event: NDArray[np.bool_],
    time: NDArray[np.floating],
    mandatory: Sequence[str],
) -> Training:
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
    return Training(features.astype(np.float64), event, time)


def _check_finite(features: pd.DataFrame) -> None:
    is_infinite = np.any(np.isinf(features.to_numpy(dtype=np.float64)), axis=0).tolist()
    if names := [str(name) for name, faulty in zip(features, is_infinite, strict=True) if faulty]:
        raise ValueError(f"{len(names)} feature(s) have infinite values: {listed(names)}.")
