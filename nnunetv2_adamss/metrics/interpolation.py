"""Survival between the times at which a curve is known: straight lines, or constant hazard.

Straight lines, for evaluation: files may come from any tool, do not define what happens in between, and may hold
curves that reach 0, which no constant hazard does. Each fold's curve is used at its own times.

Constant hazard, where the folds of a model are averaged or calibrated at common times: the network predicts, and the
calibration corrects, conditional probabilities, and a part of an interval then gets p to the power of that part.

If a share q of those alive at its start do not survive an interval, the two differ by at most about q² / 8.
"""

import numpy as np
from numpy.typing import NDArray


def at_straight_lines(
    survival_prob: NDArray[np.floating], known: NDArray[np.floating], times: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Probabilities at these times, which must lie within the known ones.

    Args:
        survival_prob: at the known times, ``(..., n_known)``.
        known: ascending, ``(n_known,)``.
        times: the same for all curves, ``(k,)``, or of each curve, ``(..., k)``.

    Returns:
        ``(..., k)``; exactly ``survival_prob`` at known times.
    """
    times = np.broadcast_to(times, (*survival_prob.shape[:-1], times.shape[-1]))
    right = np.clip(np.searchsorted(known, times, side="left"), 1, len(known) - 1)
    share = (times - known[right - 1]) / (known[right] - known[right - 1])
    before, after = (np.take_along_axis(survival_prob, place, axis=-1) for place in (right - 1, right))
    return (1 - share) * before + share * after


def at_constant_hazard(
    survival_prob: NDArray[np.floating], known: NDArray[np.floating], times: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Probabilities at these times, with log S straight in between; arguments as for :func:`at_straight_lines`."""
    # The smallest positive number replaces 0, whose logarithm is infinite.
    log_prob = np.log(np.maximum(survival_prob, np.finfo(np.float64).tiny))
    return np.exp(at_straight_lines(log_prob, known, times))
