"""Fusion of risk scores that have no common unit, by their ranks."""

import numpy as np
from numpy.typing import NDArray


def mean_of_ranks(risks: NDArray[np.float64], reference: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of the ranks that patients have by several models, a risk score of its own.

    A rank is the share of the reference patients whose risk is lower; equal risks count half.

    Args:
        risks: higher for an earlier event, ``(n_models, n_cases)``; patients with NaN get NaN.
        reference: risks of the patients among whom the ranks are, ``(n_models, n_reference)``.

    Returns:
        In [0, 1], higher for an earlier event, ``(n_cases,)``.
    """
    # Whole numbers, so that equal means are exactly equal.
    twice_lower = sum(_twice_lower(*pair) for pair in zip(risks, reference, strict=True))
    return np.where(np.isnan(risks).any(axis=0), np.nan, twice_lower / (2 * reference.size))


def _twice_lower(risk: NDArray[np.float64], reference: NDArray[np.float64]) -> NDArray[np.intp]:
    """Twice the number of lower risks in the reference, equal ones counted once."""
    in_order = np.sort(reference)
    return np.searchsorted(in_order, risk, "left") + np.searchsorted(in_order, risk, "right")
