"""Predicted curves between the times at which they are known."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

import nnunetv2_adamss as adamss
from nnunetv2_adamss.metrics.resampling import ResampledCohort
from nnunetv2_adamss.metrics.survival_curves import PredictedCurves

# Two patients, at times 15 and 30.
PROBABILITIES = [[0.8, 0.6], [0.4, 0.2]]


def given(survival_prob: Any, times: Any) -> PredictedCurves:
    cohort = ResampledCohort([True, False], [20.0, 40.0], n_resamples=0)
    return PredictedCurves.in_cohort(survival_prob, times, cohort)


@pytest.mark.parametrize(
    "labels",
    [
        [15, 30], [15.0, 30.00001], ["15", "30.0"], ["survival_at_15", "survival_at_30"], ["early", "late"],
        ["early", 30], [0, 1], [1, 2], [np.nan, -1], [("a", 15), ("a", 30)], [True, False],
    ],
)  # fmt: skip
def test_labels_that_are_the_times_or_none_are_taken(labels: list[Any]) -> None:
    curves = given(pd.DataFrame(PROBABILITIES, columns=labels), [15, 30])
    assert curves.survival_prob.tolist() == [[1, 0.8, 0.6], [1, 0.4, 0.2]]


@pytest.mark.parametrize(
    ("labels", "times", "message"),
    [
        ([30, 15], [15, 30], "labelled '30', but its time is 15"),
        ([15, 30], [30, 15], "labelled '15', but its time is 30"),
        (["survival_at_30", "survival_at_15"], [15, 30], "labelled 'survival_at_30', but its time is 15"),
        (["30", "15"], [15, 30], "labelled '30', but its time is 15"),
        (["early", 15], [15, 30], "labelled '15', but its time is 30"),
        ([15, 31], [15, 30], "labelled '31', but its time is 30"),
        ([2, 1], [1, 2], "labelled '2', but its time is 1"),
        ([1, 2], [2, 1], "labelled '1', but its time is 2"),
    ],
)
def test_labels_that_are_other_times_are_refused(labels: list[Any], times: list[float], message: str) -> None:
    with pytest.raises(
        ValueError, match=f"A column of 'survival_prob' is {message}. Bring columns and times"
    ):
        given(pd.DataFrame(PROBABILITIES, columns=labels), times)


def test_a_single_column_is_not_taken_for_another_time_than_its_label() -> None:
    table = pd.DataFrame(PROBABILITIES, columns=[150, 300])
    for column in (table[150], table[[150]]):
        assert given(column, 150).survival_prob.tolist() == [[1, 0.8], [1, 0.4]]
        with pytest.raises(ValueError, match="labelled '150', but its time is 300"):
            adamss.brier_score(column, [True, False], [200, 400], horizon=300)
        with pytest.raises(ValueError, match="labelled '150', but its time is 300"):
            adamss.calibration(column, [True, False], [200, 400], horizon=300)


def test_a_column_without_a_name_has_a_number_that_says_nothing() -> None:
    table = pd.DataFrame(np.hstack([PROBABILITIES, PROBABILITIES]))
    assert given(table[1], 365).survival_prob.tolist() == given(table[3], 365).survival_prob.tolist()
    assert given(table.iloc[:, 2:], [365, 730]).survival_prob.shape == (2, 3)


@pytest.mark.parametrize(
    ("survival_prob", "message"),
    [
        (0.5, r"one row a patient and one column a time, but its shape is \(\)"),
        (None, r"one row a patient and one column a time, but its shape is \(\)"),
        (np.ones((2, 2, 2)), r"one row a patient and one column a time, but its shape is \(2, 2, 2\)"),
        ([[0.5], [0.5, 0.5]], "must be a column or a table, but its rows differ in length"),
        (np.ma.masked_array(PROBABILITIES, [[True, False], [False, False]]), "has masked values"),
        ([], "has 1 columns, but there are 2 times"),
    ],
)
def test_probabilities_that_are_no_table_are_refused_in_a_sentence(survival_prob: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"'survival_prob' .*{message}"):
        given(survival_prob, [15, 30])


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([], "There are no times: 'times' is empty"),
        (None, r"Times must be above 0, finite and all different, but are \[nan\]"),
        ([15, -30], r"Times must be above 0, finite and all different, but are \[15.0, -30.0\]"),
        ([[15, 30]], r"'times' must hold one time a column, but its shape is \(1, 2\)"),
        ([15, [30]], "'times' must be a column or a table, but its rows differ in length"),
        ([15, "thirty"], "'times' must hold numbers, but holds 'thirty'"),
    ],
)
def test_times_that_are_none_are_refused_in_a_sentence(times: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        given(PROBABILITIES, times)


def test_between_known_times_a_curve_is_straight_and_starts_at_one() -> None:
    curves = PredictedCurves.from_columns(np.array([20.0, 10.0]), np.array([[0.2, 0.6], [0.5, 0.5]]))
    assert curves.at(np.array([0.0, 5.0, 10.0, 15.0, 20.0])) == pytest.approx(
        np.array([[1, 0.8, 0.6, 0.4, 0.2], [1, 0.75, 0.5, 0.5, 0.5]])
    )
    assert curves.at_own(np.array([5.0, 15.0])) == pytest.approx([0.8, 0.5])


def test_curves_of_folds_are_joined_as_far_as_both_reach_without_a_change() -> None:
    first = PredictedCurves.from_columns(np.array([10.0, 30.0]), np.array([[0.6, 0.2]]))
    second = PredictedCurves.from_columns(np.array([15.0, 25.0]), np.array([[0.5, 0.4], [0.9, 0.1]]))
    both = PredictedCurves.stacked([first, second])
    assert list(both.times) == [0, 10, 15, 25]
    moments = np.linspace(0, 25, 11)
    assert both.at(moments) == pytest.approx(np.vstack([first.at(moments), second.at(moments)]))
    assert both.of(np.array([2])).at(moments) == pytest.approx(second.at(moments)[1:])
