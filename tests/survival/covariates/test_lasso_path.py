"""The LASSO path fulfils the conditions of optimality, which are written out here from the definition."""

import numpy as np
import pytest

from nnunetv2_adamss.survival.covariates.lasso_path import lasso_path, penalty_grid
from tests.survival.covariates.cohorts import features, outcomes


def gradient_by_hand(
    design: np.ndarray, weights: np.ndarray, event: np.ndarray, time: np.ndarray
) -> np.ndarray:
    """Of -log partial likelihood / n: observed minus expected features, event by event."""
    hazard = np.exp(design @ weights)
    gradient = np.zeros(design.shape[1])
    for i in np.flatnonzero(event):
        at_risk = time >= time[i]
        expected = (hazard[at_risk, None] * design[at_risk]).sum(axis=0) / hazard[at_risk].sum()
        gradient -= design[i] - expected
    return gradient / len(time)


@pytest.fixture(scope="module")
def problem() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    design = features(120, 40, seed=0).to_numpy()
    event, time = outcomes(design[:, 3] - 0.7 * design[:, 8], seed=1)
    return design, event, np.ceil(time / 20)


def test_every_point_of_the_path_is_the_optimum(problem: tuple[np.ndarray, ...]) -> None:
    design, event, time = problem
    penalties = penalty_grid(design, event, time)
    path = lasso_path(design, event, time, penalties)
    for penalty, weights in zip(penalties[::7], path[::7], strict=True):
        gradient = gradient_by_hand(design, weights, event, time)
        chosen = weights != 0
        np.testing.assert_allclose(gradient[chosen], -penalty * np.sign(weights[chosen]), atol=1e-6)
        assert (np.abs(gradient[~chosen]) <= penalty + 1e-6).all()


def test_the_path_starts_with_nothing_and_the_first_features_are_the_true_ones(
    problem: tuple[np.ndarray, ...],
) -> None:
    design, event, time = problem
    path = lasso_path(design, event, time, penalty_grid(design, event, time))
    n_chosen = (path != 0).sum(axis=1)
    assert n_chosen[0] == 0
    assert n_chosen[1] == 1
    first_two = path[np.flatnonzero(n_chosen == 2)[0]]
    assert first_two[3] > 0 > first_two[8]


def test_starting_from_the_last_solution_changes_nothing(problem: tuple[np.ndarray, ...]) -> None:
    design, event, time = problem
    penalties = penalty_grid(design, event, time)[:20]
    cold = lasso_path(design, event, time, penalties[-1:])
    np.testing.assert_allclose(lasso_path(design, event, time, penalties)[-1], cold[0], atol=1e-5)
