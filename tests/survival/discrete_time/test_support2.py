"""Intervals, labels, loss and Eq. (2) together, on a real table: as good as a Cox model, within reason."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from measurements.support2 import (
    GRID_DAYS,
    Cohort,
    FreeHead,
    integrated_brier_score,
    interpolate,
    read_support2,
    score_cox,
    score_network,
    split,
)


@pytest.fixture
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.long
@pytest.mark.usefixtures("one_thread")
def test_a_small_network_ranks_test_patients_nearly_as_a_cox_model_does(real_data: Path) -> None:
    cohort = read_support2(real_data / "tables" / "support_parsed.csv.gz")
    splits = [split(cohort, seed) for seed in range(3)]
    network_c = np.mean([score_network(FreeHead, *parts, n_members=1)["Eq. (2)"]["c"] for parts in splits])
    cox_c = np.mean([score_cox(*parts)["c"] for parts in splits])
    assert network_c >= 0.70
    assert network_c == pytest.approx(cox_c, abs=0.03)


def test_the_brier_score_of_a_small_table_computed_by_hand() -> None:
    # One of the three left at 1,000 days is censored: the other two count 1 / (2 / 3) from there on.
    time = np.array([500.0, 1000.0, 1200.0, 2000.0])
    event = np.array([True, False, True, True])
    cohort = Cohort(np.zeros((4, 1)), event, time)
    always_half = np.full((4, len(GRID_DAYS)), 0.5)
    weights = [
        np.ones(len(GRID_DAYS)),
        GRID_DAYS < 1000,
        np.where(GRID_DAYS < 1000, 1, 1.5),
        np.where(GRID_DAYS < 1000, 1, 1.5),
    ]
    expected = 0.25 * np.mean(weights)
    assert integrated_brier_score(always_half, cohort, cohort) == pytest.approx(expected)


def test_a_perfect_curve_has_a_brier_score_of_0() -> None:
    time = np.array([100.0, 700.0, 3000.0])
    cohort = Cohort(np.zeros((3, 1)), np.ones(3, dtype=bool), time)
    assert integrated_brier_score((time[:, None] > GRID_DAYS).astype(float), cohort, cohort) == 0


def test_between_edges_the_hazard_is_constant() -> None:
    curve = interpolate(
        np.array([[0.25, 0.25]]), np.array([0.0, 10.0, 20.0]), np.array([5.0, 10.0, 15.0, 25.0])
    )
    assert curve == pytest.approx(np.array([[0.5, 0.25, 0.25, 0.25]]))
