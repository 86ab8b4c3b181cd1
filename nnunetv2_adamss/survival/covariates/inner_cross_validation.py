"""Cross-validated partial likelihood within the training cases, to choose penalties."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import KFold, StratifiedKFold

from nnunetv2_adamss.survival.covariates.breslow_likelihood import partial_log_likelihood

_N_INNER_FOLDS = 5


class CoxDesign(NamedTuple):
    """Data of a Cox model: inputs ``(n_cases, n_inputs)``, event and time ``(n_cases,)``."""

    inputs: NDArray[np.float64]
    event: NDArray[np.bool_]
    time: NDArray[np.float64]

    def of(self, cases: NDArray[np.integer]) -> "CoxDesign":
        """The data of some of the cases, which may occur more than once."""
        return CoxDesign(*(values[cases] for values in self))


def cross_validated_likelihood(
    design: CoxDesign, fit: Callable[[CoxDesign], NDArray[np.float64]], seed: int
) -> NDArray[np.float64]:
    """Cross-validated log partial likelihood of several models, ``(n_models,)`` (Verweij and van Houwelingen 1993).

    The contribution of a left-out fold to the likelihood of all cases is defined even if the fold has too few events
    for a likelihood of its own.

    Args:
        design: the training cases, at least two events.
        fit: weights of every model on some of the cases, ``(n_models, n_inputs)``.
        seed: of the folds.
    """
    n_folds = min(_N_INNER_FOLDS, int(design.event.sum()))
    # Too few censored cases for all folds need not be spread evenly.
    kind = StratifiedKFold if (~design.event).sum() >= n_folds else KFold
    scores: NDArray[np.float64] = np.zeros(1)
    for kept, _ in kind(n_folds, shuffle=True, random_state=seed).split(design.inputs, design.event):
        part = design.of(kept)
        if not part.event.any():
            continue
        weights = fit(part).T
        everyone = partial_log_likelihood(design.inputs @ weights, design.event, design.time)
        scores = scores + everyone - partial_log_likelihood(part.inputs @ weights, part.event, part.time)
    # Rounded, so that rounding errors do not decide between equal solutions.
    return scores.round(9)
