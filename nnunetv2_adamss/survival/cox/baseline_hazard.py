"""Breslow's estimate of the baseline hazard, which turns log hazards into survival curves."""

import numpy as np
from numpy.typing import NDArray


def baseline_hazard(
    log_hazard: NDArray[np.float64],
    event: NDArray[np.bool_],
    time: NDArray[np.floating],
    interval_edges: NDArray[np.float64],
    weights: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Increase of the cumulative baseline hazard over each interval ``(e_j, e_j+1]``, ``(n_intervals,)``.

    Args:
        log_hazard: higher for an earlier event, ``(n_cases,)``.
        event: True where the event was observed, ``(n_cases,)``.
        time: time to event or censoring, above 0, ``(n_cases,)``.
        interval_edges: ``(n_intervals + 1,)``, ascending from 0; events beyond the last are ignored.
        weights: number of cases of the cohort that each of these represents, ``(n_cases,)``; by default one.
    """
    weights = np.ones(len(time)) if weights is None else weights
    event_times, place = np.unique(time[event], return_inverse=True)
    n_events = np.bincount(place, weights[event], minlength=len(event_times))
    order = np.argsort(time)
    hazard_from_here_on = np.cumsum((weights * np.exp(log_hazard))[order][::-1])[::-1]
    at_risk = hazard_from_here_on[np.searchsorted(time[order], event_times, side="left")]
    interval = np.searchsorted(interval_edges[1:], event_times, side="left")
    n_intervals = len(interval_edges) - 1
    increases = np.bincount(interval, n_events / at_risk, minlength=n_intervals)[:n_intervals]
    return increases.astype(np.float64)


def sampling_weights(event: NDArray[np.bool_], events_of_cohort: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Weights of sampled cases with which events are as frequent among them as in the cohort.

    Args:
        event: of the drawn cases, each once, ``(n_cases,)``.
        events_of_cohort: of all cases that they were drawn from, ``(n_all,)``.

    Returns:
        Share of each case's kind in the cohort over its share among those drawn, ``(n_cases,)``, 1 on average if both
        kinds were drawn.
    """
    share, share_drawn = events_of_cohort.mean(), event.mean()
    if share_drawn in (0, 1):  # with one kind alone there is nothing to balance
        return np.ones(len(event))
    return np.where(event, share / share_drawn, (1 - share) / (1 - share_drawn))
