"""Time intervals of the discrete survival model, and labels of a patient's outcome in each (Section 3.4)."""

import logging
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

_logger = logging.getLogger(__name__)

EdgeRule = Literal["quantile", "event_quantile"]
# From the authors' software, which gives no rule for them.
AUTHORS_EDGES_DAYS = (0.0, 300.0, 600.0, 900.0, 1100.0, 1300.0, 1500.0, 2100.0, 2700.0, 3500.0, 6000.0)


class IntervalLabels(NamedTuple):
    """The label vectors of Eq. (1), each ``(n_cases, n_intervals)`` float32 of 0 and 1.

    Attributes:
        survived: S, 1 where the patient is known to have survived the interval.
        failed: S-bar, 1 in the interval of the event; all 0 for a censored patient.
    """

    survived: NDArray[np.float32]
    failed: NDArray[np.float32]


def interval_edges(
    event: NDArray[np.bool_],
    time: NDArray[np.floating],
    n_intervals: int = 10,
    rule: EdgeRule = "quantile",
) -> NDArray[np.float64]:
    """Edges between which the training times are spread evenly; the paper's default is 10 intervals.

    choice: the paper asks for "the survival time of all training samples" to be spread evenly and gives no edges. Here
    they are linear quantiles of all times, censored ones included.

    Args:
        event: True where the event was observed, ``(n_cases,)``.
        time: time to event or censoring, above 0, ``(n_cases,)``.
        n_intervals: requested number of intervals.
        rule: "quantile" takes the quantiles of all times, "event_quantile" those of the event times.

    Returns:
        ``(n_intervals + 1,)``, strictly ascending, first 0, last the greatest of all times. Quantiles that
        coincide are merged, with a warning: then there are fewer.

    Raises:
        ValueError: if there is no time to take quantiles of, fewer than one interval, or an unknown rule.
    """
    if rule not in ("quantile", "event_quantile"):
        raise ValueError(f"The rule for interval edges is 'quantile' or 'event_quantile', not {rule!r}.")
    if n_intervals < 1:
        raise ValueError(f"At least one time interval is needed, not {n_intervals}.")
    sample = time[event] if rule == "event_quantile" else time
    if not len(sample):
        raise ValueError(
            f"The rule {rule!r} needs at least one time: there are {len(time)} cases, {np.sum(event)} events."
        )
    edges = _linear_quantiles(sample, n_intervals)
    edges[0], edges[-1] = 0, time.max()
    merged = np.unique(edges)
    if len(merged) < len(edges):
        _logger.warning(
            "Many times are equal: %d time intervals instead of %d.", len(merged) - 1, n_intervals
        )
    return merged


def authors_edges(time_unit: str) -> NDArray[np.float64]:
    """Edges of the 10 intervals of the authors' published software, ``(11,)``, in days.

    They are not converted, since the length of a month is the user's choice, who can give any edges.

    Args:
        time_unit: of the survival table.

    Raises:
        ValueError: if the unit is not days.
    """
    if time_unit != "days":
        raise ValueError(
            f"The interval edges of the rule 'authors_days' are in days, but the survival table's time_unit is "
            f"{time_unit}. Give edges in {time_unit} with --interval_edges, or choose another --interval_rule."
        )
    return np.array(AUTHORS_EDGES_DAYS)


def check_interval_edges(edges: NDArray[np.floating]) -> None:
    """Check edges that a user gives.

    Raises:
        ValueError: unless there are at least two, finite and strictly ascending from 0.
    """
    if edges.ndim != 1 or len(edges) < 2:
        raise ValueError(f"Interval edges are a list of at least two times, not {edges.tolist()}.")
    if not np.isfinite(edges).all():
        raise ValueError(f"Interval edges must be finite: {edges.tolist()}.")
    if edges[0] != 0 or (np.diff(edges) <= 0).any():
        raise ValueError(f"Interval edges must start at 0 and ascend strictly: {edges.tolist()}.")


def interval_labels(
    edges: NDArray[np.float64], event: NDArray[np.bool_], time: NDArray[np.floating]
) -> IntervalLabels:
    """Labels of each outcome in each interval ``(e_j, e_j+1]``.

    An event in interval j: survived before j, failed in j. An event beyond the last edge: survived throughout.

    choice: the paper does not define labels of censored patients. As in Gensheimer and Narasimhan (2019), they have
    survived every interval whose midpoint they have reached.

    Args:
        edges: ``(n_intervals + 1,)``, strictly ascending from 0.
        event: True where the event was observed, ``(n_cases,)``.
        time: time to event or censoring, above 0, in the unit of the edges, ``(n_cases,)``.
    """
    midpoints = (edges[:-1] + edges[1:]) / 2
    n_survived = np.where(
        event,
        _interval_of(edges, time),
        np.searchsorted(midpoints, time, side="right"),
    )
    interval = np.arange(len(midpoints))
    survived = interval < n_survived[:, None]
    failed = event[:, None] & (interval == n_survived[:, None])
    return IntervalLabels(survived.astype(np.float32), failed.astype(np.float32))


def intervals_without_event(
    edges: NDArray[np.float64], event: NDArray[np.bool_], time: NDArray[np.floating]
) -> list[int]:
    """Numbers, from 0, of the intervals without an event, in which the model cannot learn a hazard."""
    n_intervals = len(edges) - 1
    n_events = np.bincount(_interval_of(edges, time[event]), minlength=n_intervals)
    return np.flatnonzero(n_events[:n_intervals] == 0).tolist()


def _interval_of(edges: NDArray[np.float64], time: NDArray[np.floating]) -> NDArray[np.intp]:
    """Number of the interval ``(e_j, e_j+1]`` that holds each time, n_intervals beyond the last edge."""
    return np.searchsorted(edges[1:], time, side="left")


def _linear_quantiles(times: NDArray[np.floating], n_intervals: int) -> NDArray[np.float64]:
    # np.quantile multiplies by an inexact k / n: a rank of 2.999... would split equal times into a sliver.
    ranks = np.arange(n_intervals + 1) * (len(times) - 1) / n_intervals
    return np.interp(ranks, np.arange(len(times)), np.sort(times))
