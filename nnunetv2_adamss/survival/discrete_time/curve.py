"""Survival curves and predicted times from conditional survival probabilities (Section 3.4, Eq. 2)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nnunetv2_adamss.metrics.interpolation import at_constant_hazard


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
    """Predicted time by Eq. (2): the sum of the curve times the durations of the intervals; higher for longer survival.

    It is a restricted mean over the range of the edges, so times of models with other edges cannot be compared.

    Args:
        survival_curve: S(t) at the right edges, ``(..., n_intervals)``.
        interval_edges: ``(n_intervals + 1,)``, ascending from 0.

    Returns:
        ``(...)``, from 0 to the last edge, in the unit of the edges.
    """
    durations = np.diff(np.asarray(interval_edges, dtype=np.float64))
    return (np.asarray(survival_curve, dtype=np.float64) * durations).sum(axis=-1)


def common_times(edges_by_fold: Sequence[NDArray[np.floating]]) -> NDArray[np.float64]:
    """Times that every fold's curve reaches: the edges, without 0, of the fold whose last edge is smallest.

    Args:
        edges_by_fold: ``(n_intervals + 1,)`` each, ascending from 0.

    Returns:
        ``(n_times,)``, ascending; independent of the order of the folds.
    """
    shortest = min(edges_by_fold, key=lambda edges: (edges[-1], *edges))
    return np.asarray(shortest[1:], dtype=np.float64)


def curves_at(
    survival_curve: NDArray[np.floating], edges: NDArray[np.floating], times: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Interpolate survival curves at other times; between edges the hazard is constant.

    Args:
        survival_curve: S(t) at the right edges, in [0, 1], ``(..., n_intervals)``.
        edges: ``(n_intervals + 1,)``, ascending from 0, where S is 1.
        times: above 0, ``(n_times,)``.

    Returns:
        ``(..., n_times)``.

    Raises:
        ValueError: if a time lies beyond the last edge.
    """
    if np.max(times) > edges[-1]:
        raise ValueError(f"A survival curve that ends at {edges[-1]:g} has no value at {np.max(times):g}.")
    from_start = np.concatenate([np.ones_like(survival_curve[..., :1]), survival_curve], axis=-1)
    return at_constant_hazard(from_start, edges, times)


def predicted_time_at(
    survival_curve: NDArray[np.floating], times: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Predicted time of curves ``(..., n_times)`` at times ``(n_times,)``, ``(...)``, from 0 to the last time."""
    return predicted_time(survival_curve, np.append(0.0, times))
