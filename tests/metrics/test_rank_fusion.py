"""Ranks of several models, averaged: by hand, and against SciPy's ranks."""

import numpy as np
import pytest
from scipy.stats import rankdata

from nnunetv2_adamss.metrics.rank_fusion import mean_of_ranks


def test_patients_are_ranked_by_each_model_and_the_ranks_are_averaged() -> None:
    risks = np.array([[1.0, 2, 3], [300, 100, 200]])
    expected = [(0.5 + 2.5) / 6, (1.5 + 0.5) / 6, (2.5 + 1.5) / 6]
    np.testing.assert_allclose(mean_of_ranks(risks, risks), expected)


def test_equal_risks_share_a_rank_and_equal_means_are_exactly_equal() -> None:
    rng = np.random.default_rng(0)
    risks = rng.integers(0, 9, size=(3, 50)).astype(float)
    fused, ranks = mean_of_ranks(risks, risks), rankdata(risks, axis=1).sum(axis=0)
    np.testing.assert_array_equal(rankdata(fused), rankdata(ranks))
    assert len(np.unique(fused)) < 50


def test_a_single_patient_has_a_rank_among_others() -> None:
    """Above 3 of 4 by the first model; by the second one above 1, and equal to another."""
    reference = np.array([[10.0, 20, 30, 40], [0, 5, 6, 7]])
    assert mean_of_ranks(np.array([[31.0], [5.0]]), reference) == pytest.approx([(3 + 1.5) / 8])


def test_a_patient_without_a_risk_by_one_model_has_no_fused_risk() -> None:
    risks = np.array([[1.0, np.nan], [1, 2]])
    assert np.isnan(mean_of_ranks(risks, np.array([[0.0, 1], [1, 2]]))).tolist() == [False, True]
