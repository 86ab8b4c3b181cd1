"""Feature selection: correlation filter, then LASSO-Cox with its penalty by inner cross-validation."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnunetv2_adamss.survival.covariates.correlation_filter import drop_correlated
from nnunetv2_adamss.survival.covariates.inner_cross_validation import CoxDesign, cross_validated_likelihood
from nnunetv2_adamss.survival.covariates.lasso_path import lasso_path, penalty_grid

_N_BOOTSTRAP_SAMPLES = 100


@dataclass(frozen=True)
class SelectionPath:
    """The LASSO path: weights by falling penalty; plain data.

    Args:
        penalties: descending.
        names: of the features that have a weight anywhere on the path.
        weights: by penalty and name.
        scores: inner cross-validation's log partial likelihood by penalty, as far as computed; higher is better.
    """

    penalties: tuple[float, ...]
    names: tuple[str, ...]
    weights: tuple[tuple[float, ...], ...]
    scores: tuple[float, ...]


@dataclass(frozen=True)
class FeatureSelection:
    """The features that were selected; plain data.

    Args:
        names: by descending size of the weight.
        weights: of the LASSO, for one standard deviation each.
        bootstrap_frequency: share of bootstrap samples of the training cases in which the same penalty chooses each.
        n_candidates: features that vary in the training cases.
        n_uncorrelated: features that the correlation filter left.
        limit: largest number of features to select.
        penalty: by inner cross-validation, or None if it was not run.
        reason: why nothing is selected, a sentence, or None.
        path: for the plot, or None if the LASSO was not run.
    """

    names: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()
    bootstrap_frequency: tuple[float, ...] = ()
    n_candidates: int = 0
    n_uncorrelated: int = 0
    limit: int = 0
    penalty: float | None = None
    reason: str | None = None
    path: SelectionPath | None = None

    def to_dict(self) -> dict[str, Any]:
        """Convert the selection to plain data."""
        values = {name: _as_lists(value) for name, value in vars(self).items() if name != "path"}
        path = None if self.path is None else {n: _as_lists(v) for n, v in asdict(self.path).items()}
        return values | {"path": path}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "FeatureSelection":
        """Selection from plain data, as ``to_dict`` gives it."""
        path = values["path"]
        plain = {name: _as_tuples(value) for name, value in values.items() if name != "path"}
        return cls(
            **plain,
            path=None if path is None else SelectionPath(**{n: _as_tuples(v) for n, v in path.items()}),
        )


def select_features(
    inputs: pd.DataFrame, event: NDArray[np.bool_], time: NDArray[np.float64], limit: int, seed: int
) -> FeatureSelection:
    """Select features; an empty selection is a valid result.

    The result does not depend on the order of the columns or of the cases.

    Args:
        inputs: z-scores of the training cases, ``(n_cases, n_features)``, indexed by ``case_id``.
        event: ``(n_cases,)``, True = observed; at least one.
        time: ``(n_cases,)``.
        limit: most features to select.
        seed: of inner folds and bootstrap samples.
    """
    # The random draws below depend on positions.
    order = np.argsort(np.asarray(inputs.index, dtype=str), kind="stable")
    names = drop_correlated(inputs)
    training = CoxDesign(inputs[names].to_numpy(), event, time).of(order)
    counts: dict[str, Any] = {
        "n_candidates": inputs.shape[1],
        "n_uncorrelated": len(names),
        "limit": max(limit, 0),
    }
    if limit < 1 or event.sum() < 2:
        return FeatureSelection(**counts, reason=_why_not_begun(limit, event))
    penalties = penalty_grid(*training)
    path = lasso_path(*training, penalties)
    # The first penalty is among them, since it chooses nothing.
    allowed = np.flatnonzero((path != 0).sum(axis=1) <= limit)
    # choice: the paper does not state how the penalty is chosen; here by the highest cross-validated likelihood.
    tried = penalties[: allowed[-1] + 1]
    scores = cross_validated_likelihood(training, lambda part: lasso_path(*part, tried), seed)
    best = int(allowed[np.argmax(scores[allowed])])
    selected = sorted(map(int, np.flatnonzero(path[best])), key=lambda i: (-abs(path[best, i]), names[i]))
    frequency = _bootstrap_frequency(training, penalties[best], seed)[selected]
    return FeatureSelection(
        names=tuple(names[i] for i in selected),
        weights=tuple(path[best, selected].tolist()),
        bootstrap_frequency=tuple(frequency.tolist()),
        penalty=float(penalties[best]),
        reason=None if selected else "no feature predicts the inner folds better than none at all",
        path=_path(names, penalties, path, scores),
        **counts,
    )


def _why_not_begun(limit: int, event: NDArray[np.bool_]) -> str:
    if limit < 1:
        return "the limit leaves room for no feature; --max_features changes it"
    return f"with {int(event.sum())} of {len(event)} training cases with an event there is no inner cross-validation"


def _bootstrap_frequency(training: CoxDesign, penalty: float, seed: int) -> NDArray[np.float64]:
    """Share of the samples in which this penalty chooses each feature, ``(n_features,)``."""
    n_cases, n_features = training.inputs.shape
    chosen = np.zeros(n_features)
    for draw in np.random.default_rng(seed).integers(n_cases, size=(_N_BOOTSTRAP_SAMPLES, n_cases)):
        sample = training.of(draw)
        if sample.event.any():
            chosen += lasso_path(*sample, np.array([penalty]))[0] != 0
    return chosen / _N_BOOTSTRAP_SAMPLES


def _path(
    names: list[str],
    penalties: NDArray[np.float64],
    path: NDArray[np.float64],
    scores: NDArray[np.float64],
) -> SelectionPath:
    ever = np.flatnonzero((path != 0).any(axis=0))
    return SelectionPath(
        tuple(penalties.tolist()),
        tuple(names[i] for i in ever),
        tuple(tuple(row) for row in path[:, ever].tolist()),
        tuple(scores.tolist()),
    )


def _as_lists(value: Any) -> Any:
    return [_as_lists(item) for item in value] if isinstance(value, tuple) else value


def _as_tuples(value: Any) -> Any:
    return tuple(_as_tuples(item) for item in value) if isinstance(value, list) else value
