"""Balanced accuracy, compared with scikit-learn's, and the coverage of its interval."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from nnunetv2_adamss.metrics.balanced_accuracy import balanced_accuracy


def test_it_is_the_mean_recall_of_the_classes() -> None:
    true = ["N0"] * 4 + ["N1"] * 2
    found = balanced_accuracy(true, ["N0", "N0", "N0", "N1", "N1", "N0"])
    assert found.value == (3 / 4 + 1 / 2) / 2


def test_it_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    true, predicted = (rng.choice(["T1", "T2", "T3"], 50, p=[0.6, 0.3, 0.1]).tolist() for _ in range(2))
    assert balanced_accuracy(true, predicted).value == pytest.approx(balanced_accuracy_score(true, predicted))


def test_a_class_that_never_occurs_is_a_wrong_prediction_and_no_class_of_its_own() -> None:
    assert balanced_accuracy(["T1", "T1", "T2"], ["T1", "T4", "T2"]).value == 0.75


def test_its_interval_holds_the_truth_in_about_95_of_100_cohorts() -> None:
    rng, share = np.random.default_rng(0), {"N0": 0.8, "N1": 0.5}
    n_inside = 0
    for seed in range(300):
        true = ["N0"] * 80 + ["N1"] * 40
        predicted = [one if rng.random() < share[one] else "N2" for one in true]
        lower, upper = balanced_accuracy(true, predicted, n_resamples=300, seed=seed).interval or (1, 0)
        n_inside += lower <= 0.65 <= upper
    assert 0.91 < n_inside / 300 < 0.98


def test_one_class_has_no_balanced_accuracy() -> None:
    found = balanced_accuracy(["T1", "T1"], ["T1", "T1"])
    assert (found.value, found.reason) == (None, "fewer than two classes occur")
