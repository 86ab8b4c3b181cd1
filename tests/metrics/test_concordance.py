"""Harrell's C against a count of all pairs one by one, its interval, and where there is no estimate."""

import json
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from nnunetv2_adamss.metrics import concordance
from nnunetv2_adamss.metrics.concordance import (
    Concordance,
    bootstrap_harrell_c,
    cross_validated_c,
    harrell_c,
    harrell_pairs,
)
from nnunetv2_adamss.metrics.pairs import PairSums
from nnunetv2_adamss.metrics.resampling import ResampledCohort
from tests.metrics.cohorts import tied_cohorts

Cohort = tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]


@st.composite
def cohorts(draw: st.DrawFn) -> Cohort:
    """Risk, event and time on so few values that equal ones are common."""
    n_cases = draw(st.integers(1, 25))
    risk_score, time = (
        draw(st.lists(st.integers(1, 8), min_size=n_cases, max_size=n_cases)) for _ in range(2)
    )
    event = draw(st.lists(st.booleans(), min_size=n_cases, max_size=n_cases))
    return np.array(risk_score, dtype=np.float64), np.array(event), np.array(time, dtype=np.float64)


def random_cohort(n_cases: int, seed: int = 0) -> Cohort:
    """A risk that knows something of the time; a third of the times are censored."""
    rng = np.random.default_rng(seed)
    time = rng.exponential(1000, n_cases)
    return -np.log(time) + rng.normal(0, 1.5, n_cases), rng.random(n_cases) < 2 / 3, time


def count_pairs_one_by_one(
    risk_score: NDArray[np.float64], event: NDArray[np.bool_], time: NDArray[np.float64]
) -> tuple[float, int]:
    """Concordant pairs, equal risks as a half, and comparable pairs: i dies while j is known to live on."""
    concordant, comparable = 0.0, 0
    for i in np.flatnonzero(event):
        for j in range(len(time)):
            if time[i] < time[j] or (time[i] == time[j] and not event[j]):
                comparable += 1
                concordant += 1.0 if risk_score[i] > risk_score[j] else 0.5 * (risk_score[i] == risk_score[j])
    return concordant, comparable


def test_four_patients_computed_by_hand() -> None:
    # Comparable: (0, 1), (0, 2), (0, 3). In order: (0, 1), (0, 3); equal risks: (0, 2).
    risk_score = np.array([5.0, 1.0, 5.0, 3.0])
    event = np.array([True, False, True, True])
    time = np.array([10.0, 20.0, 30.0, 30.0])
    found = harrell_c(risk_score, event, time)
    assert (found.c_index, found.n_pairs) == (pytest.approx(2.5 / 3), 3)


def test_at_equal_times_an_event_compares_with_a_censored_patient_only() -> None:
    same_time = np.full(2, 10.0)
    assert harrell_c(np.array([2.0, 1.0]), np.array([True, False]), same_time).c_index == 1
    assert harrell_c(np.array([2.0, 1.0]), np.array([True, True]), same_time).n_pairs == 0


@given(cohorts())
def test_c_and_pairs_equal_a_count_one_by_one(cohort: Cohort) -> None:
    concordant, comparable = count_pairs_one_by_one(*cohort)
    found = harrell_c(*cohort)
    assert found.n_pairs == comparable
    assert found.c_index == (pytest.approx(concordant / comparable) if comparable else None)


@given(cohorts(), st.randoms(use_true_random=False))
def test_the_order_of_the_patients_does_not_matter(cohort: Cohort, random) -> None:
    order = list(range(len(cohort[0])))
    random.shuffle(order)
    risk_score, event, time = cohort
    assert harrell_c(risk_score[order], event[order], time[order]) == harrell_c(*cohort)


def test_a_perfect_risk_has_c_1_and_its_opposite_has_c_0() -> None:
    _, event, time = random_cohort(50)
    assert harrell_c(-time, event, time).c_index == 1
    assert harrell_c(time, event, time).c_index == 0


def test_without_a_comparable_pair_there_is_a_reason_and_no_number() -> None:
    found = bootstrap_harrell_c(np.arange(3.0), np.zeros(3, dtype=bool), np.arange(1.0, 4.0))
    assert found == Concordance(
        None, 0, None, "not estimable: no comparable pair among 3 patients with 0 events"
    )


def test_few_events_are_called_not_estimable_but_the_numbers_are_given() -> None:
    risk_score, event, time = random_cohort(12)
    n_events = int(event.sum())
    assert 1 < n_events < 10
    found = bootstrap_harrell_c(risk_score, event, time, n_resamples=200)
    assert found.c_index is not None
    assert found.interval is not None
    assert found.reason == (
        f"not estimable: only {n_events} events in comparable pairs, at least 10 are needed"
    )


def test_ten_events_are_enough() -> None:
    time = np.arange(1.0, 32.0)
    event = time <= 10
    assert harrell_c(-time, event, time) == Concordance(1.0, 30 * 31 // 2 - 20 * 21 // 2)
    assert harrell_c(-time[1:], event[1:], time[1:]).reason is not None


def test_an_event_that_no_patient_outlives_is_in_no_pair() -> None:
    time = np.arange(1.0, 11.0)
    found = harrell_c(-time, np.ones(10, dtype=bool), time)
    assert found.reason == "not estimable: only 9 events in comparable pairs, at least 10 are needed"


def test_a_handful_of_patients_who_outlive_the_events_is_too_few() -> None:
    event = np.arange(20) < 15
    time = np.where(event, 1.0, 2.0)
    found = harrell_c(np.arange(20.0), event, time)
    assert found.reason == "not estimable: only 5 patients outlive an event, at least 10 are needed"


@given(tied_cohorts())
def test_one_door_decides_on_too_few_events(cohort) -> None:
    risk_score, event, time, _ = cohort
    (sums,) = harrell_pairs(risk_score, ResampledCohort(event, time, n_resamples=0))
    found = harrell_c(risk_score, event, time)
    assert found.n_pairs == 0 or found.reason == sums.why_too_few


def test_where_most_resamples_have_no_pair_there_is_no_interval() -> None:
    # Only (1, 2) compares; 12 of the 27 draws of three hold both.
    event = np.array([False, True, False])
    time = np.array([1.0, 2.0, 3.0])
    found = bootstrap_harrell_c(np.array([1.0, 3.0, 2.0]), event, time, n_resamples=1000)
    assert (found.c_index, found.n_pairs, found.interval) == (1, 1, None)
    assert found.reason is not None
    assert "only 1 events in comparable pairs" in found.reason
    assert "resamples have no comparable pair" in found.reason


def test_the_interval_holds_the_estimate_and_repeats_with_its_seed() -> None:
    cohort = random_cohort(100)
    found = bootstrap_harrell_c(*cohort, n_resamples=200)
    assert found.c_index is not None
    assert found.interval is not None
    assert 0 <= found.interval[0] < found.c_index < found.interval[1] <= 1
    assert found.c_index == harrell_c(*cohort).c_index
    assert found == bootstrap_harrell_c(*cohort, n_resamples=200)
    assert found != bootstrap_harrell_c(*cohort, n_resamples=200, seed=1)


def test_more_confidence_needs_a_wider_interval() -> None:
    cohort = random_cohort(100)
    narrow, wide = (
        bootstrap_harrell_c(*cohort, n_resamples=200, confidence=confidence).interval
        for confidence in (0.5, 0.95)
    )
    assert narrow is not None
    assert wide is not None
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


@pytest.mark.slow
def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    truth = harrell_c(*random_cohort(20_000, seed=12345)).c_index
    intervals = [
        bootstrap_harrell_c(*random_cohort(100, seed=seed), n_resamples=200).interval for seed in range(200)
    ]
    covered = [interval is not None and interval[0] <= truth <= interval[1] for interval in intervals]
    assert 0.90 <= np.mean(covered) <= 0.99


@pytest.mark.parametrize("n_patients", [500, 3000])
def test_a_thousand_resamples_are_scored_in_one_pass(
    n_patients: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One by one, as lifelines scores them, they would take minutes."""
    n_resamples = []

    def count(risk_score: NDArray[np.float64], cohort: ResampledCohort) -> list[PairSums]:
        sums = harrell_pairs(risk_score, cohort)
        n_resamples.extend(len(each.share) for each in sums)
        return sums

    monkeypatch.setattr(concordance, "harrell_pairs", count)
    found = bootstrap_harrell_c(*random_cohort(n_patients))
    assert n_resamples == [1 + 1000], "the cohort itself, and all resamples"
    assert found.interval is not None and found.interval[1] - found.interval[0] < 4 / n_patients**0.5


def test_the_result_is_fit_for_json() -> None:
    found = bootstrap_harrell_c(*random_cohort(40), n_resamples=50).to_dict()
    assert json.loads(json.dumps(found)) == found
    assert set(found) == {"c_index", "n_pairs", "interval", "reason"}


@pytest.mark.parametrize("score", [harrell_c, bootstrap_harrell_c])
def test_a_risk_that_is_not_finite_gives_no_c_index_and_the_reason(score: Callable[..., Concordance]) -> None:
    event, time = np.array([True, True]), np.array([1.0, 2.0])
    found = score(np.array([np.nan, 1.0]), event, time)
    assert found.c_index is None
    assert found.reason == "not estimable: 1 of 2 risk scores are not finite"


def test_a_risk_of_another_length_is_an_error() -> None:
    event, time = np.array([True, True]), np.array([1.0, 2.0])
    with pytest.raises(ValueError, match="'risk_score' has 1 values, but 'event' has 2"):
        harrell_c(np.array([1.0]), event, time)


@given(tied_cohorts())
def test_the_bootstrap_scores_every_resample_as_lifelines_does(cohort) -> None:
    risk_score, event, time, _ = cohort
    resampled = ResampledCohort(event, time, n_resamples=5)
    (found,) = harrell_pairs(risk_score, resampled)
    for share, count in zip(found.share, resampled.counts.astype(int), strict=True):
        expected = harrell_c(*(np.repeat(values, count) for values in (risk_score, event, time))).c_index
        assert expected == (None if np.isnan(share) else share)


@given(tied_cohorts())
def test_the_pooled_c_is_the_mean_of_the_folds_weighted_by_their_pairs(cohort) -> None:
    risk_score, event, time, fold = cohort
    folds = [harrell_c(*(v[fold == f] for v in (risk_score, event, time))) for f in np.unique(fold)]
    found = cross_validated_c(risk_score, ResampledCohort(event, time, fold, n_resamples=0))
    assert [part.n_pairs for part in found.folds] == [part.n_pairs for part in folds]
    assert found.pooled.n_pairs == sum(part.n_pairs for part in folds)
    if found.pooled.value is not None:
        weighted = sum(part.c_index * part.n_pairs for part in folds if part.n_pairs)
        assert found.pooled.value == pytest.approx(weighted / found.pooled.n_pairs)
    else:
        assert found.pooled.reason is not None


def test_an_offset_between_folds_changes_nothing_but_would_change_c_over_all() -> None:
    risk_score, event, time = random_cohort(200)
    fold = np.repeat([0, 1], 100)
    cohort = ResampledCohort(event, time, fold, n_resamples=50)
    assert cross_validated_c(risk_score + 100 * fold, cohort) == cross_validated_c(risk_score, cohort)
    assert harrell_c(risk_score + 100 * fold, event, time) != harrell_c(risk_score, event, time)


def test_patients_are_drawn_within_folds() -> None:
    fold = np.repeat([7, 2, 5], [10, 20, 1])
    cohort = ResampledCohort(np.ones(31, dtype=bool), np.arange(1.0, 32.0), fold, n_resamples=100)
    assert [list(fold[places][:1]) for places in cohort.folds] == [[2], [5], [7]]
    for places in cohort.folds:
        assert (cohort.counts[:, places].sum(axis=1) == len(places)).all()
    assert (cohort.counts[0] == 1).all() and (cohort.counts[1:] != 1).any()


def test_folds_of_few_events_are_not_estimable_though_all_together_are() -> None:
    risk_score, event, time = random_cohort(40)
    found = cross_validated_c(risk_score, ResampledCohort(event, time, np.repeat(np.arange(5), 8)))
    assert all(fold.value is None and "not estimable" in fold.reason for fold in found.folds)
    assert found.pooled.value is not None and found.pooled.interval is not None
