"""Curves between their known times: both ways by hand, and how far apart they can be."""

import numpy as np
import pytest

from nnunetv2_adamss.metrics.interpolation import at_constant_hazard, at_straight_lines

KNOWN = np.array([0.0, 10.0, 30.0])
CURVES = np.array([[1.0, 0.64, 0.16], [1.0, 0.25, 0.0]])


def test_both_ways_by_hand() -> None:
    times = np.array([5.0, 20.0])
    assert at_straight_lines(CURVES, KNOWN, times) == pytest.approx(np.array([[0.82, 0.4], [0.625, 0.125]]))
    assert at_constant_hazard(CURVES, KNOWN, times) == pytest.approx(
        np.array([[0.8, 0.32], [0.5, 0.0]]), abs=1e-12
    )


def test_known_values_are_kept() -> None:
    curves = np.random.default_rng(1).random((50, 3))
    np.testing.assert_array_equal(at_straight_lines(curves, KNOWN, KNOWN), curves)
    np.testing.assert_allclose(at_constant_hazard(curves, KNOWN, KNOWN), curves, rtol=1e-14)


def test_each_curve_may_have_times_of_its_own() -> None:
    own = at_straight_lines(CURVES, KNOWN, np.array([[5.0], [20.0]]))
    assert own == pytest.approx(np.array([[0.82], [0.125]]))


@pytest.mark.parametrize("share", [0.05, 0.1, 0.2])
def test_the_two_differ_by_at_most_an_eighth_of_the_squared_share_that_does_not_survive(share: float) -> None:
    times = np.linspace(0, 10, 1001)
    curve, known = np.array([[1, 1 - share]]), np.array([0.0, 10.0])
    difference = at_straight_lines(curve, known, times) - at_constant_hazard(curve, known, times)
    assert difference.min() >= -1e-12
    assert difference.max() == pytest.approx(share**2 / 8, rel=0.15)
