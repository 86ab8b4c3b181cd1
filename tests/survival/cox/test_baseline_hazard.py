"""Breslow's estimate: by hand, and against lifelines on a real table."""

from pathlib import Path

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter, KaplanMeierFitter

from nnunetv2_adamss.survival.cox.baseline_hazard import baseline_hazard, sampling_weights
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


def test_weights_count_cases_as_often_as_they_stand_for_others() -> None:
    rng = np.random.default_rng(0)
    log_hazard, time, event = (
        rng.normal(size=30),
        rng.integers(1, 9, 30).astype(float),
        rng.uniform(size=30) < 0.5,
    )
    weights, edges = rng.integers(1, 4, 30), np.array([0.0, 2.0, 5.0, 9.0])
    repeated = [np.repeat(values, weights) for values in (log_hazard, event, time)]
    np.testing.assert_allclose(
        baseline_hazard(log_hazard, event, time, edges, weights.astype(float)),
        baseline_hazard(*repeated, edges),
    )


def test_half_events_with_weights_have_the_baseline_that_lifelines_finds_in_the_whole_cohort() -> None:
    """A fifth of the cohort has the event, half of those who are drawn, as in a network's batches."""
    rng = np.random.default_rng(0)
    n_cases = 4000
    score, death = rng.normal(size=n_cases), rng.exponential(size=n_cases)
    death, censoring = 100 * death * np.exp(-score), rng.uniform(5, 30, n_cases)
    event, time = death <= censoring, np.minimum(death, censoring)
    assert 0.15 < event.mean() < 0.3
    table = pd.DataFrame({"score": score, "time": time, "event": event})
    fit = CoxPHFitter(baseline_estimation_method="breslow").fit(table, "time", "event")
    edges = np.array([0.0, 5.0, 10.0, 15.0, 20.0])
    cumulative = fit.baseline_cumulative_hazard_
    expected = np.array([cumulative.loc[:edge].iloc[-1, 0] for edge in edges[1:]])
    log_hazard = fit.predict_log_partial_hazard(table).to_numpy()
    drawn = np.concatenate([rng.choice(np.flatnonzero(kind), 500, replace=False) for kind in (event, ~event)])
    outcomes = log_hazard[drawn], event[drawn], time[drawn], edges
    found = baseline_hazard(*outcomes, sampling_weights(event[drawn], event)).cumsum()
    np.testing.assert_allclose(found, expected, rtol=0.1)
    assert (baseline_hazard(*outcomes).cumsum() > 1.7 * expected).all(), "as it was without weights"

    # So mean predicted survival is Kaplan and Meier's.
    survival = np.exp(-found * np.exp(log_hazard)[:, None]).mean(axis=0)
    observed = KaplanMeierFitter().fit(time, event).predict(edges[1:]).to_numpy()
    np.testing.assert_allclose(survival, observed, atol=0.02)


def test_cases_of_one_kind_alone_are_not_weighted() -> None:
    cohort = np.array([True, False, False, False])
    assert sampling_weights(np.ones(3, dtype=bool), cohort).tolist() == [1, 1, 1]
    assert sampling_weights(np.array([True, False]), cohort).tolist() == [0.5, 1.5]
