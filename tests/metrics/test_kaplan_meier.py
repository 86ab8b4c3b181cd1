"""Observed survival at given times, computed by hand."""

import numpy as np
import pytest

from nnunetv2_adamss.metrics.kaplan_meier import kaplan_meier

TIME = np.array([1.0, 2.0, 3.0])


def test_survival_is_that_after_the_last_step_and_the_interval_holds_it() -> None:
    observed, lower, upper = kaplan_meier(np.array([True, True, False]), TIME).at(np.array([0.5, 1, 2.5]))
    assert observed == pytest.approx([1, 2 / 3, 1 / 3])
    assert (lower[0], upper[0]) == (1, 1)
    assert (lower[1:] < observed[1:]).all() and (observed[1:] < upper[1:]).all()


def test_beyond_follow_up_nothing_is_known_unless_everybody_has_died() -> None:
    later = np.array([3.0, 4.0])
    assert kaplan_meier(np.array([True, True, False]), TIME).at(later)[0] == pytest.approx(
        [1 / 3, np.nan], nan_ok=True
    )
    assert kaplan_meier(np.array([True, False, True]), TIME).at(later)[0].tolist() == [0, 0]


def test_numpy_still_warns_of_divisions_by_zero() -> None:
    with np.errstate(all="warn"):
        kaplan_meier(np.array([True, False, True]), TIME)
        assert set(np.geterr().values()) == {"warn"}
