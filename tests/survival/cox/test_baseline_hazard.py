"""Breslow's estimate: by hand, and against lifelines on a real table."""

from pathlib import Path

import numpy as np

from nnunetv2_adamss.survival.cox.baseline_hazard import baseline_hazard
from tests.survival.cox.real_table import age_and_death


def test_four_patients_with_a_tie_computed_by_hand() -> None:
    # At time 1 two events of hazard 10 in all, at time 2 one of 7; edges belong to the interval that they end.
    found = baseline_hazard(
        np.log([2.0, 1.0, 4.0, 3.0]), np.array([True, True, False, True]), np.array([1.0, 1.0, 3.0, 2.0]),
        np.array([0.0, 1.0, 1.5, 2.0, 5.0]),
    )  # fmt: skip
    np.testing.assert_allclose(found, [2 / 10, 0, 1 / 7, 0])


def test_events_beyond_the_last_edge_count_for_nothing() -> None:
    found = baseline_hazard(np.zeros(2), np.array([True, True]), np.array([1.0, 9.0]), np.array([0.0, 2.0]))
    assert found.tolist() == [1 / 2]


def test_without_hazards_the_curve_is_nelson_and_aalens_estimate() -> None:
    time = np.array([3.0, 1.0, 2.0])
    found = baseline_hazard(np.zeros(3), np.ones(3, dtype=bool), time, np.array([0.0, 1.0, 2.0, 3.0]))
    np.testing.assert_allclose(found, [1 / 3, 1 / 2, 1])


def test_a_real_table_has_the_baseline_that_lifelines_finds(real_data: Path) -> None:
    fit, log_hazard, event, time = age_and_death(real_data)
    edges = np.append(0.0, np.unique(np.quantile(time, np.arange(1, 11) / 10, method="inverted_cdf")))
    # lifelines' baseline is that of a patient of mean age, as the log hazards are.
    cumulative = fit.baseline_cumulative_hazard_["baseline cumulative hazard"].loc[edges[1:]]
    np.testing.assert_allclose(
        baseline_hazard(log_hazard, event, time, edges).cumsum(), cumulative, rtol=1e-9
    )
