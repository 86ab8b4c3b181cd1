"""Edges and labels of the time intervals, against tables worked out by hand."""

import logging

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from nnunetv2_adamss.survival.discrete_time.intervals import (
    EdgeRule,
    authors_edges,
    check_interval_edges,
    interval_edges,
    interval_labels,
    intervals_without_event,
)

EDGES = np.array([0.0, 10.0, 20.0, 40.0])


def labels_of(event: bool, time: float) -> tuple[list[float], list[float]]:
    survived, failed = interval_labels(EDGES, np.array([event]), np.array([time]))
    return survived[0].tolist(), failed[0].tolist()


@st.composite
def outcomes(draw: st.DrawFn) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Whole days, so that equal times and times on an edge are common."""
    time = draw(st.lists(st.integers(1, 60), min_size=1, max_size=40))
    event = draw(st.lists(st.booleans(), min_size=len(time), max_size=len(time)))
    return np.array(event), np.array(time, dtype=np.float64)


@pytest.mark.parametrize(
    ("time", "survived", "failed"),
    [
        (0.5, [0, 0, 0], [1, 0, 0]),
        (10, [0, 0, 0], [1, 0, 0]),  # on an edge: the interval that ends there
        (10.001, [1, 0, 0], [0, 1, 0]),
        (20, [1, 0, 0], [0, 1, 0]),
        (25, [1, 1, 0], [0, 0, 1]),
        (40, [1, 1, 0], [0, 0, 1]),
        (40.001, [1, 1, 1], [0, 0, 0]),  # beyond the last edge
    ],
)
def test_an_event_survives_the_intervals_before_it_and_fails_its_own(
    time: float, survived: list[int], failed: list[int]
) -> None:
    assert labels_of(True, time) == (survived, failed)


@pytest.mark.parametrize(
    ("time", "survived"),
    [
        (4.999, [0, 0, 0]),
        (5, [1, 0, 0]),  # the midpoint itself counts
        (10, [1, 0, 0]),
        (15, [1, 1, 0]),
        (29.999, [1, 1, 0]),
        (30, [1, 1, 1]),
        (500, [1, 1, 1]),
    ],
)
def test_a_censored_patient_survives_the_intervals_whose_midpoint_is_reached(
    time: float, survived: list[int]
) -> None:
    assert labels_of(False, time) == (survived, [0, 0, 0])


def test_labels_of_several_cases_are_float32_rows_in_the_order_of_the_cases() -> None:
    labels = interval_labels(EDGES, np.array([True, False]), np.array([15.0, 15.0]))
    assert labels.survived.tolist() == [[1, 0, 0], [1, 1, 0]]
    assert labels.failed.tolist() == [[0, 1, 0], [0, 0, 0]]
    assert labels.survived.dtype == labels.failed.dtype == np.float32


@given(outcomes())
def test_labels_never_contradict_themselves(outcome: tuple[NDArray[np.bool_], NDArray[np.float64]]) -> None:
    event, time = outcome
    survived, failed = interval_labels(EDGES, event, time)
    assert (np.diff(survived, axis=1) <= 0).all(), "survived after having failed"
    assert (survived * failed == 0).all()
    assert (failed.sum(axis=1) == (event & (time <= EDGES[-1]))).all()


def test_quantile_edges_of_a_small_table_computed_by_hand() -> None:
    event = np.array([True, False, True, False, True])
    time = np.array([50.0, 10.0, 30.0, 20.0, 40.0])
    # Ranks 0, 1, 2, 3, 4 of four intervals; the least time gives way to 0.
    assert interval_edges(event, time, n_intervals=4).tolist() == [0, 20, 30, 40, 50]
    # Three intervals: ranks 4/3 and 8/3.
    assert interval_edges(event, time, n_intervals=3).tolist() == pytest.approx([0, 70 / 3, 110 / 3, 50])


def test_event_quantiles_leave_out_the_censored_but_reach_to_the_last_of_all_times() -> None:
    event = np.array([True, True, True, False, False])
    time = np.array([10.0, 20.0, 40.0, 15.0, 100.0])
    assert interval_edges(event, time, 2, "event_quantile").tolist() == [0, 20, 100]


def test_quantile_edges_are_numpys_linear_quantiles() -> None:
    time = np.random.default_rng(0).exponential(1000, size=386)
    event = np.ones(386, dtype=bool)
    edges = interval_edges(event, time)
    np.testing.assert_allclose(edges[1:], np.quantile(time, np.linspace(0, 1, 11))[1:], rtol=1e-12)


def test_quantiles_spread_the_training_times_evenly() -> None:
    time = np.random.default_rng(0).exponential(1000, size=501)
    n_in_interval, _ = np.histogram(time, interval_edges(np.ones(501, dtype=bool), time))
    assert set(n_in_interval) <= {50, 51}


def test_edges_that_coincide_are_merged_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    time = np.array([10.0] * 8 + [20.0, 30.0])
    with caplog.at_level(logging.WARNING):
        edges = interval_edges(np.ones(10, dtype=bool), time, n_intervals=4)
    assert edges.tolist() == [0, 10, 30]
    assert "2 time intervals instead of 4" in caplog.text


@pytest.mark.parametrize("n_intervals", [7, 10, 49])
def test_equal_times_never_leave_a_sliver_of_an_interval(n_intervals: int) -> None:
    time = np.repeat([100.0, 200.0, 300.0], [2, n_intervals, n_intervals])
    edges = interval_edges(np.ones(len(time), dtype=bool), time, n_intervals)
    assert np.diff(edges).min() > 1


@given(outcomes(), st.integers(1, 12))
def test_edges_of_any_table_are_edges(
    outcome: tuple[NDArray[np.bool_], NDArray[np.float64]], n_intervals: int
) -> None:
    event, time = outcome
    rules: list[EdgeRule] = ["quantile", "event_quantile"] if event.any() else ["quantile"]
    for rule in rules:
        edges = interval_edges(event, time, n_intervals, rule)
        check_interval_edges(edges)
        assert edges[-1] == time.max()
        assert len(edges) <= n_intervals + 1


def test_event_quantiles_without_an_event_are_an_error() -> None:
    with pytest.raises(ValueError, match="at least one time: there are 2 cases, 0 events"):
        interval_edges(np.array([False, False]), np.array([1.0, 2.0]), rule="event_quantile")


def test_no_interval_is_an_error() -> None:
    with pytest.raises(ValueError, match="At least one time interval is needed, not 0"):
        interval_edges(np.array([True]), np.array([1.0]), n_intervals=0)


def test_an_unknown_rule_is_an_error() -> None:
    with pytest.raises(ValueError, match="not 'even'"):
        interval_edges(np.array([True]), np.array([1.0]), rule="even")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("event", "time", "n_survived"),
    [
        (True, 300, 0),
        (True, 301, 1),
        (True, 1000, 3),  # in the fourth interval, from 900 to 1100 days
        (True, 6000, 9),
        (True, 6001, 10),  # beyond the last edge: survived throughout, never failed
        (False, 149, 0),
        (False, 1000, 4),  # the midpoint of the fourth interval
        (False, 1800, 7),
        (False, 4749, 9),
        (False, 4750, 10),
    ],
)
def test_labels_under_the_edges_of_the_authors_software(event: bool, time: float, n_survived: int) -> None:
    edges = authors_edges("days")
    assert edges.tolist() == [0, 300, 600, 900, 1100, 1300, 1500, 2100, 2700, 3500, 6000]
    check_interval_edges(edges)
    survived, failed = interval_labels(edges, np.array([event]), np.array([float(time)]))
    assert survived[0].tolist() == [1] * n_survived + [0] * (10 - n_survived)
    has_failed = event and n_survived < 10
    assert failed[0].tolist() == [float(has_failed and i == n_survived) for i in range(10)]


@pytest.mark.parametrize("time_unit", ["weeks", "months", "years"])
def test_the_edges_of_the_authors_software_are_refused_for_times_that_are_no_days(time_unit: str) -> None:
    with pytest.raises(ValueError, match=f"are in days, but the survival table's time_unit is {time_unit}"):
        authors_edges(time_unit)


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ([0.0], "at least two times"),
        ([[0.0, 1.0]], "at least two times"),
        ([0.0, np.inf], "must be finite"),
        ([0.0, np.nan, 2.0], "must be finite"),
        ([1.0, 2.0], "must start at 0"),
        ([0.0, 2.0, 2.0], "ascend strictly"),
        ([0.0, 3.0, 2.0], "ascend strictly"),
    ],
)
def test_edges_of_a_user_are_checked(edges: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_interval_edges(np.array(edges))


def test_intervals_without_an_event_are_named() -> None:
    event = np.array([True, False, True, True])
    time = np.array([10.0, 15.0, 12.0, 41.0])  # censored in the second, beyond the third
    assert intervals_without_event(EDGES, event, time) == [2]
    assert intervals_without_event(EDGES, np.zeros(4, dtype=bool), time) == [0, 1, 2]
