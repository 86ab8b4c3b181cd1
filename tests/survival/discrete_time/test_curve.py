"""Survival curves and Eq. (2), by hand and as properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from nnunetv2_adamss.survival.discrete_time.curve import predicted_time, survival_curve

EDGES = np.array([0.0, 10.0, 30.0, 60.0])


@st.composite
def models(draw: st.DrawFn) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Conditional probabilities of some patients and edges to go with them."""
    n_cases, n_intervals = draw(st.integers(1, 5)), draw(st.integers(1, 12))
    prob = draw(arrays(np.float64, (n_cases, n_intervals), elements=st.floats(0, 1)))
    widths = draw(arrays(np.float64, n_intervals, elements=st.floats(0.01, 1000)))
    return prob, np.concatenate([[0], np.cumsum(widths)])


def test_the_curve_is_the_running_product() -> None:
    assert survival_curve(np.array([[0.9, 0.5, 1.0], [1.0, 0.0, 0.7]])) == pytest.approx(
        np.array([[0.9, 0.45, 0.45], [1.0, 0.0, 0.0]])
    )


def test_the_predicted_time_is_equation_2_computed_by_hand() -> None:
    # 0.9 * 10 + 0.45 * 20 + 0.45 * 30
    assert predicted_time(np.array([0.9, 0.45, 0.45]), EDGES) == pytest.approx(31.5)


def test_float32_probabilities_give_a_float64_curve() -> None:
    assert survival_curve(np.ones((2, 3), dtype=np.float32)).dtype == np.float64


@given(models())
def test_curves_never_rise_and_stay_between_0_and_1(
    model: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> None:
    curve = survival_curve(model[0])
    assert (np.diff(curve, axis=1) <= 0).all()
    assert ((curve >= 0) & (curve <= 1)).all()


@given(models())
def test_the_predicted_time_is_equation_2_and_lies_between_0_and_the_last_edge(
    model: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> None:
    prob, edges = model
    time = predicted_time(survival_curve(prob), edges)
    expected = [sum(np.prod(p[: k + 1]) * (edges[k + 1] - edges[k]) for k in range(len(p))) for p in prob]
    np.testing.assert_allclose(time, expected, rtol=1e-9, atol=1e-9)
    assert (time >= 0).all()
    assert (time <= edges[-1] * (1 + 1e-12)).all()


@given(models())
def test_equation_2_equals_its_sum_by_parts(
    model: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> None:
    """Each edge with the share that is lost right after it: no term cancels another, so rounding cannot add up."""
    prob, edges = model
    curve = survival_curve(prob)
    lost_after = curve - np.append(curve[:, 1:], np.zeros((len(curve), 1)), axis=1)
    by_parts = (lost_after * edges[1:]).sum(axis=1)
    np.testing.assert_allclose(predicted_time(curve, edges), by_parts, rtol=1e-12, atol=1e-12 * edges[-1])


@given(models())
def test_sure_survival_gives_the_last_edge(
    model: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> None:
    prob, edges = model
    sure = predicted_time(survival_curve(np.ones_like(prob)), edges)
    np.testing.assert_allclose(sure, edges[-1], rtol=1e-14)


@given(models())
def test_each_patients_time_is_the_same_alone_as_among_others(
    model: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> None:
    prob, edges = model
    alone = [predicted_time(survival_curve(p), edges) for p in prob]
    assert predicted_time(survival_curve(prob), edges).tolist() == alone
