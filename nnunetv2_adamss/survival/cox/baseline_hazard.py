"""Breslow's estimate of the baseline hazard, which turns log hazards into survival curves."""

import numpy as np
from numpy.typing import NDArray


def baseline_hazard(
    log_hazard: NDArray[np.float64],
    event: NDArray[np.bool_],
    time: NDArray[np.floating],
    interval_edges: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Increase of the cumulative baseline hazard over each interval ``(e_j, e_j+1]``, ``(n_intervals,)``.

    Args:
        log_hazard: higher for an earlier event, ``(n_cases,)``.
        event: True where the event was observed, ``(n_cases,)``.
        time: time to event or censoring, above 0, ``(n_cases,)``.
        interval_edges: ``(n_intervals + 1,)``, ascending from 0; events beyond the last count for nothing.
    """
    event_times, n_events = np.unique(time[event], return_counts=True)
    order = np.argsort(time)
    hazard_from_here_on = np.cumsum(np.exp(log_hazard[order])[::-1])[::-1]
    at_risk = hazard_from_here_on[np.searchsorted(time[order], event_times, side="left")]
    interval = np.searchsorted(interval_edges[1:], event_times, side="left")
    n_intervals = len(interval_edges) - 1
    increases = np.bincount(interval, n_events / at_risk, minlength=n_intervals)[:n_intervals]
    return increases.astype(np.float64)
