"""The baseline of a discrete-time network, fitted to the training cases once the network predicts them."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit

from nnunetv2_adamss.survival.discrete_time.intervals import IntervalLabels

# Logits beyond which a sigmoid is 0 or 1 in float64.
_FAR = 40.0


def baseline_offsets(logits: NDArray[np.float64], labels: IntervalLabels) -> NDArray[np.float64]:
    """Offsets with which as many cases are predicted to survive each interval as did survive it.

    They are the maximum of the likelihood of Eq. (1) over one offset an interval. Half a case with the mean logit
    survives and half a case fails besides, so that intervals without events or survivors have finite offsets.

    Args:
        logits: of surviving each interval, given alive at its start, ``(n_cases, n_intervals)``.
        labels: of the same cases.

    Returns:
        To be added to the logits, ``(n_intervals,)``.
    """
    columns = zip(logits.T, labels.survived.T, labels.failed.T, strict=True)
    return np.array([_offset(*column) for column in columns])


def _offset(logits: NDArray[np.float64], survived: NDArray[np.float32], failed: NDArray[np.float32]) -> float:
    is_known = (survived + failed) > 0
    known = np.append(logits[is_known], logits.mean())
    n_survived = float(survived.sum()) + 0.5

    def too_many(offset: float) -> float:
        return float(expit(known + offset).sum()) - n_survived

    offset: float = brentq(too_many, -known.max() - _FAR, -known.min() + _FAR)
    return offset
