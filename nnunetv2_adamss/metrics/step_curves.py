"""Kaplan-Meier curves for many weightings of the same patients together, as bootstrap and thresholds need them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class StepCurves:
    """Curves that start at 1 and step down at the same times.

    Attributes:
        times: of the steps, ascending, ``(n_times,)``.
        values: 1, then the value from each step on, ``(n_curves, n_times + 1)`` in [0, 1].
    """

    times: NDArray[np.floating]
    values: NDArray[np.float64]

    def at(self, time: NDArray[np.floating] | float) -> NDArray[np.float64]:
        """Values at these times, steps at the very time included, ``(n_curves, ...)``."""
        return self.values[:, np.searchsorted(self.times, time, side="right")]

    def before(self, time: NDArray[np.floating] | float) -> NDArray[np.float64]:
        """Values just before these times, ``(n_curves, ...)``."""
        return self.values[:, np.searchsorted(self.times, time, side="left")]


def kaplan_meier_curves(
    weights: NDArray[np.floating], event: NDArray[np.bool_], time: NDArray[np.floating]
) -> StepCurves:
    """Kaplan-Meier curves: the chance of living beyond t.

    Args:
        weights: of each patient, ``(n_curves, n_cases)``.
        event: True where the event was observed, ``(n_cases,)``.
        time: to event or censoring, ``(n_cases,)``.
    """
    times, events, at_risk = _counts(weights, event, time)
    return _curves(times, events, at_risk)


def censoring_curves(
    weights: NDArray[np.floating], event: NDArray[np.bool_], time: NDArray[np.floating]
) -> StepCurves:
    """Curves of the chance of being under observation beyond t; events at a time come before censorings at it.

    Arguments as for ``kaplan_meier_curves``.
    """
    times, events, at_risk = _counts(weights, event, time)
    censored = at_risk - np.pad(at_risk[:, 1:], ((0, 0), (0, 1))) - events
    return _curves(times, censored, at_risk - events)


def _counts(
    weights: NDArray[np.floating], event: NDArray[np.bool_], time: NDArray[np.floating]
) -> tuple[NDArray[np.floating], NDArray[np.float64], NDArray[np.float64]]:
    """Distinct times; events at, and patients at risk just before each, ``(n_curves, n_times)``."""
    order = np.argsort(time, kind="stable")
    times, starts = np.unique(time[order], return_index=True)
    in_order = weights[:, order].astype(np.float64)
    events = np.add.reduceat(in_order * event[order], starts, axis=1)
    leaving = np.add.reduceat(in_order, starts, axis=1)
    return times, events, np.cumsum(leaving[:, ::-1], axis=1)[:, ::-1]


def _curves(
    times: NDArray[np.floating], leaving: NDArray[np.float64], at_risk: NDArray[np.float64]
) -> StepCurves:
    hazard = np.divide(leaving, at_risk, out=np.zeros_like(leaving), where=at_risk > 0)
    values = np.cumprod(1 - hazard, axis=1)
    return StepCurves(times, np.pad(values, ((0, 0), (1, 0)), constant_values=1.0))
