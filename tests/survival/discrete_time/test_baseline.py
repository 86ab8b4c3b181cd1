"""The baseline of a discrete-time network, against the likelihood's maximum found otherwise."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_expit

from nnunetv2_adamss.survival.discrete_time.baseline import baseline_offsets
from nnunetv2_adamss.survival.discrete_time.intervals import interval_labels

EDGES = np.array([0.0, 10, 20, 30])


def test_equal_logits_become_those_of_the_share_that_survives() -> None:
    """Four patients: one fails in each of the first two intervals, one is censored in the third, one survives it."""
    labels = interval_labels(EDGES, np.array([True, True, False, True]), np.array([5.0, 15, 22, 40]))
    logits = np.full((4, 3), 3.0)
    # Known are 4, 3 and 1 patients, of whom 3, 2 and 1 survive, and half a patient on each side.
    shares = np.array([3.5 / 5, 2.5 / 4, 1.5 / 2])
    assert logits[0] + baseline_offsets(logits, labels) == pytest.approx(np.log(shares / (1 - shares)))


def test_offsets_are_the_maximum_of_the_likelihood() -> None:
    rng = np.random.default_rng(0)
    time, event = rng.exponential(20, 50), rng.random(50) < 0.6
    labels = interval_labels(EDGES, event, time)
    logits = rng.normal(-2, 3, (50, 3))

    def loss(offsets: np.ndarray) -> float:
        shifted, mean = logits + offsets, logits.mean(axis=0) + offsets
        of_cases = labels.survived * log_expit(shifted) + labels.failed * log_expit(-shifted)
        return float(-of_cases.sum() - 0.5 * (log_expit(mean) + log_expit(-mean)).sum())

    expected = minimize(loss, np.zeros(3), tol=1e-10).x
    assert baseline_offsets(logits, labels) == pytest.approx(expected, abs=1e-4)


def test_an_interval_without_events_or_patients_has_a_finite_baseline() -> None:
    labels = interval_labels(EDGES, np.array([False, False]), np.array([12.0, 12]))
    logits = np.array([[50.0, -50, 400], [50, -50, 400]])
    found = logits[0] + baseline_offsets(logits, labels)
    assert found == pytest.approx([np.log(2.5 / 0.5), 0, 0], abs=1e-6)
