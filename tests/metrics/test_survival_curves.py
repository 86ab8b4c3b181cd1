"""Predicted curves between the times at which they are known."""

import numpy as np
import pytest

from nnunetv2_adamss.metrics.survival_curves import PredictedCurves


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
