"""Kaplan-Meier curves of many weightings against lifelines on patients that are really repeated."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter

from nnunetv2_adamss.metrics.step_curves import censoring_curves, kaplan_meier_curves
from tests.metrics.cohorts import tied_cohorts


@settings(max_examples=30)
@given(tied_cohorts(), st.integers(0, 100))
def test_weights_count_like_repeated_patients(cohort, seed: int) -> None:
    _, event, time, _ = cohort
    counts = np.random.default_rng(seed).integers(1, 4, size=(2, len(time)))
    found = kaplan_meier_curves(counts, event, time)
    for row, count in enumerate(counts):
        oracle = KaplanMeierFitter().fit(np.repeat(time, count), np.repeat(event, count))
        times = np.arange(0, 9, 0.5)
        assert found.at(times)[row] == pytest.approx(oracle.predict(times).to_numpy())


def test_censoring_computed_by_hand_comes_after_events_of_the_same_time() -> None:
    # At 2 three are at risk, one dies, and one of the two left is censored.
    event, time = np.array([True, True, False, False]), np.array([1.0, 2.0, 2.0, 3.0])
    curves = censoring_curves(np.ones((1, 4)), event, time)
    assert curves.before(np.array([1.0, 2.0, 3.0]))[0] == pytest.approx([1, 1, 0.5])
    assert curves.at(np.array([0.5, 1.0, 2.0, 3.0]))[0] == pytest.approx([1, 1, 0.5, 0])


@given(tied_cohorts())
def test_a_weighting_without_patients_has_a_curve_of_one(cohort) -> None:
    _, event, time, _ = cohort
    assert (kaplan_meier_curves(np.zeros((1, len(time))), event, time).values == 1).all()
