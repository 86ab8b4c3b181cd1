"""The Cox model that an anchored network starts from: covariates, and principal components of image features."""

from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from nnunetv2_adamss.survival.covariates.cox_fit import fit_cox
from nnunetv2_adamss.survival.covariates.inner_cross_validation import CoxDesign, cross_validated_likelihood
from nnunetv2_adamss.survival.covariates.linear_risk import RIDGE
from nnunetv2_adamss.survival.covariates.ridge_path import ridge_path
from nnunetv2_adamss.survival.discrete_time.intervals import IntervalLabels

# choice: the inner cross-validation chooses one of these numbers of components, and one of these ridges on them, in
# lifelines' unit. 0 components are the covariates alone.
_N_COMPONENTS = (0, 5, 10, 20)
_RIDGES = (0.1, 0.3, 1.0, 3.0, 10.0)
# Share of the largest component's variance; components below it are rounding errors.
_LEAST_VARIANCE = 1e-6
# Share of the features' mean deviation. A feature that varies less is not scaled up to the others: a rounding error or
# another patient's ordinary value would decide the risk.
_LEAST_DEVIATION = 0.01


@dataclass(frozen=True)
class Anchor:
    """A linear risk of image features and covariates.

    Args:
        weights: log hazard ratios of one unit, image features first, ``(n_features + n_covariates,)``.
        mean: of the weighted sum over the training cases.
        n_components: principal components of the image features that were used.
        ridge: on each of them; None without components.
    """

    weights: NDArray[np.float64]
    mean: float
    n_components: int
    ridge: float | None

    @classmethod
    def fit(
        cls,
        features: NDArray[np.float64],
        covariates: NDArray[np.float64],
        event: NDArray[np.bool_],
        time: NDArray[np.float64],
        seed: int,
    ) -> "Anchor":
        """Fit the Cox model to the training cases.

        Args:
            features: of the image, ``(n_cases, n_features)``; no features for an anchor on the covariates alone.
            covariates: ``(n_cases, n_covariates)``.
            event: ``(n_cases,)``, True = observed.
            time: ``(n_cases,)``.
            seed: of the inner folds.
        """
        n_covariates = covariates.shape[1]
        components, to_features = _principal_components(features)
        design = CoxDesign(np.hstack([covariates, components]), event, time)
        n, ridge = _choose(design, n_covariates, seed)
        fitted = _fit(design, n_covariates, n, ridge)
        of_features = to_features[:, :n] @ fitted[n_covariates : n_covariates + n]
        weights = np.concatenate([of_features, fitted[:n_covariates]])
        mean = float((np.hstack([features, covariates]) @ weights).mean())
        return cls(weights, mean, n, ridge if n else None)

    def start_logits(self, labels: IntervalLabels, case_weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Logits of surviving each interval where the weighted sum is 0, ``(n_intervals,)``.

        Args:
            labels: of the training cases.
            case_weights: frequency of each of them in batches, in any unit, ``(n_cases,)``.
        """
        weights = case_weights[:, None] / case_weights.mean()
        # Half a case each, so that intervals without events or survivors have finite logits.
        survived, failed = ((weights * part).sum(axis=0) + 0.5 for part in (labels.survived, labels.failed))
        logits: NDArray[np.float64] = np.log(survived / failed) + self.mean
        return logits


def _principal_components(features: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Components of unit variance ``(n_cases, n)``, and the weight of each feature in them, ``(n_features, n)``."""
    n = min(max(_N_COMPONENTS), len(features) - 1, features.shape[1])
    deviations = features.std(axis=0)
    if n < 1 or not deviations.any():
        return features[:, :0], np.zeros((features.shape[1], 0))
    scale = np.maximum(deviations, _LEAST_DEVIATION * deviations.mean())
    pca = PCA(n, whiten=True, svd_solver="full")
    components = pca.fit_transform(features / scale)
    is_sound = pca.explained_variance_ > _LEAST_VARIANCE * max(pca.explained_variance_[0], _LEAST_VARIANCE)
    of_features = pca.components_[is_sound] / np.sqrt(pca.explained_variance_[is_sound])[:, None] / scale
    return components[:, is_sound], of_features.T


def _choose(design: CoxDesign, n_covariates: int, seed: int) -> tuple[int, float]:
    """Choose number of components and ridge by the highest cross-validated likelihood."""
    n_components = design.inputs.shape[1] - n_covariates
    numbers = sorted({min(n, n_components) for n in _N_COMPONENTS} - {0})
    candidates = [(0, _RIDGES[0]), *product(numbers, _RIDGES)]
    if len(candidates) == 1 or design.event.sum() < 2:
        return candidates[0]
    ridges = np.stack([_ridges(n_covariates, n_components, n, ridge) for n, ridge in candidates])
    # As lifelines does before it fits.
    scaled = design._replace(inputs=design.inputs / design.inputs.std(axis=0))
    scores = cross_validated_likelihood(scaled, lambda part: ridge_path(*part, ridges), seed)
    return candidates[int(np.argmax(scores))]


def _fit(design: CoxDesign, n_covariates: int, n: int, ridge: float) -> NDArray[np.float64]:
    """Fit the weights of all inputs; 0 for components that are not used."""
    weights = np.zeros(design.inputs.shape[1])
    used = np.isfinite(ridges := _ridges(n_covariates, len(weights) - n_covariates, n, ridge))
    if used.any():
        fit = fit_cox(pd.DataFrame(design.inputs[:, used]), design.event, design.time, ridge=ridges[used])
        weights[used] = fit.weights.to_numpy()
    return weights


def _ridges(n_covariates: int, n_components: int, n: int, ridge: float) -> NDArray[np.float64]:
    """The ridge on each input where the first ``n`` components are used."""
    return np.repeat([RIDGE, ridge, np.inf], [n_covariates, n, n_components - n])
