"""Kinds of values: which are theirs, and how those are named that are not."""

from typing import Any

import pytest

from nnunetv2_adamss.common.kinds import (
    Kind,
    by_channel,
    by_name,
    check_kinds,
    holding,
    is_count,
    is_number,
    is_positive,
    list_of,
    number_within,
    optional,
    unfit,
)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (is_number, [0, -1.5, 10**300], [True, "1", None, float("nan"), float("inf"), 10**400, -(10**400)]),
        (is_positive, [1, 0.5], [0, -1, True, float("nan"), 10**400]),
        (is_count, [0, 7], [-1, 1.0, True]),
        (number_within(0, 1), [0, 1, 0.5], [-0.1, 1.1, True, "1"]),
        (list_of(str), [[], ["a"], ("a",)], ["a", [1], None]),
        (list_of(is_number, 2, 3), [[1, 2], (1, 2, 3)], [[], [1], [1, 2, "3"]]),
        (list_of(bool), [[True, False]], [[0]]),
        (by_name(is_number), [{}, {"a": 1}], [[1], {"a": None}]),
        (by_channel(str), [{}, {"0": "CT"}], [{"a": "CT"}, {"0": 1}, {"\u0661": "CT"}]),
        (by_channel(object), [{"0": None, "1": True}], [{"a": 1}, []]),
        (
            holding(a=str, b=list_of(int)),
            [{"a": "", "b": [1], "c": None}],
            [{"a": ""}, {"a": 1, "b": []}, []],
        ),
        (optional(str), [None, "a"], [1]),
        ((int, float), [1, 1.5, float("nan")], [True, "1", None]),
        (int, [-1, 10**400], [True, 1.0]),
        (bool, [True], [1]),
    ],
)
def test_kinds_know_what_is_theirs(kind: Kind, good: list[Any], bad: list[Any]) -> None:
    assert not any(unfit({"value": value}, {"value": kind}) for value in good)
    assert all(unfit({"value": value}, {"value": kind}) for value in bad)


def test_values_are_found_below_others_and_named_once() -> None:
    kinds: dict[str, Kind] = {"fold": dict, "fold.cases": list_of(str), "fold.seed": int}
    assert unfit({"fold": {"cases": ["a"], "seed": 1}}, kinds, kinds) == []
    assert unfit({"fold": {"cases": [1]}}, kinds, kinds) == ["fold.cases", "fold.seed"]
    assert unfit({"fold": {"cases": [1]}}, kinds) == ["fold.cases"]
    assert unfit({"fold": 1}, kinds, kinds) == ["fold"]
    assert unfit({}, {}, ["fold.cases"]) == unfit([], {}, ["fold.cases"]) == ["fold.cases"]


def test_all_faults_are_reported_together() -> None:
    with pytest.raises(ValueError, match=r"^slope of a line cannot be 'steep', start of a line is missing$"):
        check_kinds({"slope": "steep"}, {"slope": is_number, "start": is_number}, " of a line")
    check_kinds({"slope": 1, "start": 0.5}, {"slope": is_number, "start": is_number})
