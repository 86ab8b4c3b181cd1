"""Balanced accuracy: the mean share of each class that is recognised."""

from collections.abc import Sequence

import numpy as np

from nnunetv2_adamss.metrics.estimate import Estimate, percentile_interval
from nnunetv2_adamss.metrics.resampling import DEFAULT_RESAMPLES


def balanced_accuracy(
    true: Sequence[str], predicted: Sequence[str], *, n_resamples: int = DEFAULT_RESAMPLES, seed: int = 0
) -> Estimate:
    """Mean recall of the classes that occur, with the interval of a bootstrap of the patients within each class.

    Args:
        true: class of each patient.
        predicted: class of each patient; one that never occurs is simply wrong.
        n_resamples: of the bootstrap.
        seed: of the draws.
    """
    truth, is_right = np.asarray(true), np.asarray(true) == np.asarray(predicted)
    classes, sizes = np.unique(truth, return_counts=True)
    if len(classes) < 2:
        return Estimate(None, reason="fewer than two classes occur")
    recall = np.array([is_right[truth == one].mean() for one in classes])
    # Patients of a class that are drawn with replacement are right as often as a binomial draw.
    resampled = np.random.default_rng(seed).binomial(sizes, recall, (n_resamples, len(classes))) / sizes
    interval, reason = percentile_interval(resampled.mean(axis=1), "have no patient")
    return Estimate(float(recall.mean()), interval, reason)
