"""Folds with different edges as one model, by hand and as properties."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import expit, logit

from nnunetv2_adamss.prediction.calibration import Calibration, EnsembleCalibration
from nnunetv2_adamss.prediction.ensemble import EnsemblePrediction
from nnunetv2_adamss.survival.discrete_time.curve import common_times, curves_at
from nnunetv2_adamss.trained_folds.prediction import SurvivalPrediction

CASES = ("a", "b", "c")


@st.composite
def predictions(draw: st.DrawFn) -> SurvivalPrediction:
    """A fold's prediction of three patients, with edges of its own."""
    n_intervals = draw(st.integers(1, 8))
    prob = draw(arrays(np.float64, (len(CASES), n_intervals), elements=st.floats(0, 1)))
    widths = draw(arrays(np.float64, n_intervals, elements=st.floats(0.01, 1000)))
    return SurvivalPrediction(CASES, prob, np.concatenate([[0], np.cumsum(widths)]))


def fold(probs: Sequence[Sequence[float]], edges: Sequence[float]) -> SurvivalPrediction:
    return SurvivalPrediction(CASES[: len(probs)], np.array(probs), np.array(edges))


def test_two_folds_computed_by_hand() -> None:
    # The second fold ends first, so times are 10 and 40. The first one's curve is 0.8 at 20 and 0.2 at 40.
    first, second = fold([[0.8, 0.25]], [0, 20, 40.0]), fold([[0.5, 0.5]], [0, 10, 39.0])
    found = EnsemblePrediction.of_folds([first, second])
    assert found.times.tolist() == [10, 39]
    at_39 = 0.8 * 0.25 ** (19 / 20)
    assert found.fold_curves[0] == pytest.approx(np.array([[np.sqrt(0.8), at_39]]))
    assert found.survival_curve == pytest.approx(np.array([[(np.sqrt(0.8) + 0.5) / 2, (at_39 + 0.25) / 2]]))
    by_fold = np.array([np.sqrt(0.8) * 10 + at_39 * 29, 0.5 * 10 + 0.25 * 29])
    assert found.predicted_time_by_fold[:, 0] == pytest.approx(by_fold)
    assert found.predicted_time == pytest.approx(by_fold.mean())
    assert found.risk_score == pytest.approx(-by_fold.mean())
    assert found.predicted_time_spread == pytest.approx(abs(by_fold[0] - by_fold[1]) / np.sqrt(2))


@given(predictions())
def test_one_fold_says_what_it_says_alone(alone: SurvivalPrediction) -> None:
    found = EnsemblePrediction.of_folds([alone])
    assert found.times.tolist() == alone.interval_edges[1:].tolist()
    np.testing.assert_allclose(found.survival_curve, alone.survival_curve, rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(found.predicted_time, alone.predicted_time, rtol=1e-12, atol=1e-290)
    np.testing.assert_allclose(found.risk_score, alone.risk_score, rtol=1e-12, atol=1e-290)
    assert found.predicted_time_spread is None


@given(st.lists(predictions(), min_size=1, max_size=4))
def test_curves_fall_between_1_and_0_and_times_lie_between_0_and_tau(folds: list[SurvivalPrediction]) -> None:
    found = EnsemblePrediction.of_folds(folds)
    curve = found.survival_curve
    assert ((curve >= 0) & (curve <= 1)).all()
    assert (np.diff(curve, axis=1) <= 1e-12).all()
    tau = min(fold.interval_edges[-1] for fold in folds)
    assert found.times[-1] == tau
    assert ((found.predicted_time >= 0) & (found.predicted_time <= tau * (1 + 1e-12))).all()


@given(st.lists(predictions(), min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_the_folds_does_not_matter(folds: list[SurvivalPrediction], random: Random) -> None:
    shuffled = list(folds)
    random.shuffle(shuffled)
    one, other = EnsemblePrediction.of_folds(folds), EnsemblePrediction.of_folds(shuffled)
    assert one.times.tolist() == other.times.tolist()
    np.testing.assert_allclose(one.survival_curve, other.survival_curve, rtol=1e-12)
    np.testing.assert_allclose(one.predicted_time_spread, other.predicted_time_spread, rtol=1e-6, atol=1e-9)


def test_folds_that_end_together_give_the_same_times_in_any_order() -> None:
    edges = [np.array([0, 5, 30.0]), np.array([0, 10, 20, 30.0])]
    assert common_times(edges).tolist() == common_times(edges[::-1]).tolist() == [5, 30]


def test_between_edges_the_hazard_is_constant_and_after_certain_death_survival_is_zero() -> None:
    edges, times = np.array([0, 10, 20.0]), np.array([2.5, 10, 15, 20.0])
    curves = curves_at(np.array([[0.0625, 0.01], [0.5, 0.0], [0.0, 0.0]]), edges, times)
    expected = np.array([[0.5, 0.0625, 0.025, 0.01], [0.5**0.25, 0.5, 0, 0], [0, 0, 0, 0]])
    np.testing.assert_allclose(curves, expected, rtol=1e-12, atol=1e-70)


def a_calibration(**changes: object) -> Calibration:
    return replace(Calibration((10.0,), 0.5, (0.2,), -7.0, 50, 20, "days", (0, 1)), **changes)  # type: ignore[arg-type]


def test_a_calibration_of_version_0_1_acts_on_each_fold_before_the_mean() -> None:
    folds = [fold([[0.9]], [0, 10.0]), fold([[0.5]], [0, 10.0])]
    found = EnsemblePrediction.of_folds(folds, calibration=a_calibration())
    alone = expit(0.5 * logit([0.9, 0.5]) + 0.2)
    assert found.fold_curves.ravel() == pytest.approx(alone)
    assert found.survival_curve.item() == pytest.approx(alone.mean())


def test_a_calibration_of_the_folds_together_acts_on_the_mean_of_their_logits() -> None:
    folds = [fold([[0.9]], [0, 10.0]), fold([[0.5]], [0, 10.0])]
    calibration = a_calibration(ensemble=EnsembleCalibration(0.8, (0.1,), -7.5))
    found = EnsemblePrediction.of_folds(folds, calibration=calibration)
    assert found.survival_curve.item() == pytest.approx(expit(0.8 * logit([0.9, 0.5]).mean() + 0.1))
    # By the same correction, or the mean of folds that agree could lie beside all of them.
    assert found.fold_curves.ravel() == pytest.approx(expit(0.8 * logit([0.9, 0.5]) + 0.1))


def test_a_fold_that_is_certain_does_not_outvote_the_others_beyond_the_limits() -> None:
    folds = [fold([[1.0]], [0, 10.0]), fold([[0.5]], [0, 10.0])]
    calibration = a_calibration(ensemble=EnsembleCalibration(1.0, (0.0,), -7.5), logit_limits=((-2.0, 2.0),))
    found = EnsemblePrediction.of_folds(folds, calibration=calibration)
    assert found.survival_curve.item() == pytest.approx(expit(1.0))


def test_a_time_beyond_a_folds_last_edge_is_refused() -> None:
    with pytest.raises(ValueError, match="ends at 10 has no value at 11"):
        EnsemblePrediction.of_folds([fold([[0.9]], [0, 10.0])], times=np.array([5.0, 11.0]))


def test_folds_that_predict_different_cases_are_refused() -> None:
    with pytest.raises(ValueError, match="the same cases"):
        EnsemblePrediction.of_folds([fold([[0.9]], [0, 10.0]), fold([[0.9], [0.8]], [0, 10.0])])
