"""From conditional survival probabilities to a survival curve and a time (Section 3.4, Eq. 2)."""

import numpy as np
from numpy.typing import NDArray


def survival_curve(survival_prob: NDArray[np.floating]) -> NDArray[np.float64]:
    """S(t) at the right edge of each interval, from the probabilities of surviving each in turn.

    Args:
        survival_prob: in [0, 1], given alive at the start of the interval, ``(..., n_intervals)``.

    Returns:
        The running product, of the same shape.
    """
    return np.cumprod(survival_prob, axis=-1, dtype=np.float64)


def predicted_time(
    survival_curve: NDArray[np.floating], interval_edges: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Eq. (2): the curve times the durations of the intervals, summed; higher means longer survival.

    It is a restricted mean over the range of the edges, so times of models with other edges do not compare.

    Args:
        survival_curve: S(t) at the right edges, ``(..., n_intervals)``.
        interval_edges: ``(n_intervals + 1,)``, ascending from 0.

    Returns:
        ``(...)``, from 0 to the last edge, in the unit of the edges.
    """
    durations = np.diff(np.asarray(interval_edges, dtype=np.float64))
    return (np.asarray(survival_curve, dtype=np.float64) * durations).sum(axis=-1)
