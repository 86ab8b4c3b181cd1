"""Numbers as text."""

import math

import pytest

from nnunetv2_adamss.display.words import (
    NONE,
    Reasons,
    count,
    estimate,
    joined,
    number,
    p_value,
    percent,
    probability,
    significant,
    time,
    with_interval,
)
from nnunetv2_adamss.metrics.estimate import Estimate


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_a_missing_number_is_a_dash(value: float | None) -> None:
    assert number(value) == significant(value) == p_value(value) == with_interval(value, None) == NONE


def test_numbers_are_rounded_and_never_in_powers_of_ten() -> None:
    assert [number(0.12345, 3), significant(1234.5), significant(0.01234), significant(2122.6, 4)] == [
        "0.123", "1234", "0.0123", "2123",
    ]  # fmt: skip


def test_intervals_p_values_shares_and_counts() -> None:
    assert with_interval(0.7, (0.6, 0.81234)) == "0.700 [0.600, 0.812]"
    assert with_interval(0.7, (0.6, 0.81234), percent) == "70% [60%, 81%]"
    assert with_interval(0.7, None) == "0.700"
    assert [p_value(0.0004, "= "), p_value(0.0412), p_value(0.0412, "= ")] == ["< 0.001", "0.041", "= 0.041"]
    assert [time(870.5, "days"), time(None, "days")] == ["870.5 days", "not reached"]
    assert [percent(1, 3), percent(1, 0)] == ["33%", NONE]
    assert [count(1, "event"), count(1200, "event")] == ["1 event", "1,200 events"]
    assert [joined([]), joined(["a"]), joined(["a", "b", "c"])] == ["none", "a", "a, b and c"]


def test_an_estimate_has_the_reason_where_value_or_interval_is_missing() -> None:
    assert estimate(Estimate(0.7, (0.6, 0.8))) == "0.700 [0.600, 0.800]"
    assert estimate(Estimate(0.7, None, "no interval: too few")) == "0.700; no interval: too few"
    assert estimate(Estimate(None, reason="too few")) == "too few"


def test_reasons_stand_once_below_a_table_with_the_rows_that_they_are_of() -> None:
    reasons = Reasons()
    few = Estimate(None, reason="too few")
    cells = [
        reasons.cell("A", Estimate(0.5)),
        reasons.cell("B", few),
        reasons.cell("B", few),
        reasons.cell("C", few),
    ]
    assert cells == ["0.500", NONE, NONE, NONE]
    assert reasons.notes("Read it.") == ["Read it.", "What is missing: too few (B, C)."]
    assert Reasons().notes() == []


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.004, "< 1%"), (0.01, "1%"), (0.456, "46%"), (0.99, "99%"), (0.996, "> 99%"), (math.nan, NONE)],
)
def test_a_probability_is_never_certain(value: float, shown: str) -> None:
    assert probability(value) == shown
