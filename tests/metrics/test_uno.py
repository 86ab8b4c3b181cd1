"""Uno's C against sums over all pairs one by one, and against scikit-survival on real tables."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from sksurv.metrics import concordance_index_ipcw

from nnunetv2_adamss.metrics.concordance import cross_validated_c
from nnunetv2_adamss.metrics.estimate import tail_of_resamples
from nnunetv2_adamss.metrics.resampling import ResampledCohort
from nnunetv2_adamss.metrics.uno import uno_c_in_cohort
from tests.metrics.cohorts import REAL, head_and_neck, random_cohort, tied_cohorts


def chance_before(moment: float, event, time) -> float:
    """G(t-): product over earlier times of the share that is not censored there, events gone first."""
    chance = 1.0
    for earlier in sorted(set(time[time < moment])):
        at_risk = (time >= earlier).sum() - (event & (time == earlier)).sum()
        if at_risk:
            chance *= 1 - (~event & (time == earlier)).sum() / at_risk
    return chance


@given(tied_cohorts())
def test_it_equals_the_sums_over_all_pairs_of_each_fold(cohort) -> None:
    risk_score, event, time, fold = cohort
    concordant, comparable, n_pairs = 0.0, 0.0, 0
    for i in np.flatnonzero(event & (time < 6)):
        for j in range(len(time)):
            if fold[i] == fold[j] and (time[i] < time[j] or (time[i] == time[j] and not event[j])):
                weight = chance_before(time[i], event, time) ** -2
                comparable += weight
                n_pairs += 1
                concordant += weight * (0.5 + 0.5 * np.sign(risk_score[i] - risk_score[j]))
    found = uno_c_in_cohort(risk_score, ResampledCohort(event, time, fold, n_resamples=0), truncation_time=6)
    assert found.n_pairs == n_pairs
    assert found.truncation_time == 6
    if found.value is not None:
        assert found.value == pytest.approx(concordant / comparable)
    else:
        assert found.reason is not None and found.reason.startswith("not estimable: only ")


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("truncation_time", [1000.0, 1500.0])
def test_it_equals_scikit_survival_once_the_censored_leave_after_the_dead(
    real_data: Path, name: str, truncation_time: float
) -> None:
    # scikit-survival takes G(t) where an event was seen although censoring only had to come later: G(t-).
    cohort = REAL[name](real_data)
    outcomes = cohort.oracle_outcomes(later_days=1e-4)
    expected = concordance_index_ipcw(outcomes, outcomes, cohort.risk_score, tau=truncation_time)[0]
    found = uno_c_in_cohort(cohort.risk_score, cohort.cohort, truncation_time).value
    assert found == pytest.approx(expected, abs=1e-6)


def test_on_days_of_both_deaths_and_censoring_the_two_differ_a_little(real_data: Path) -> None:
    cohort = head_and_neck(real_data)
    outcomes = cohort.oracle_outcomes()
    expected = concordance_index_ipcw(outcomes, outcomes, cohort.risk_score, tau=1500.0)[0]
    found = uno_c_in_cohort(cohort.risk_score, cohort.cohort, 1500.0).value
    assert 1e-6 < abs(found - expected) < 1e-3


def test_without_censoring_it_is_harrells_c() -> None:
    risk_score, _, time = random_cohort(200)
    cohort = ResampledCohort(np.ones(200, dtype=bool), time, n_resamples=20)
    uno, harrell = uno_c_in_cohort(risk_score, cohort), cross_validated_c(risk_score, cohort).pooled
    assert uno.truncation_time == time.max()
    assert (uno.value, uno.interval) == (pytest.approx(harrell.value), pytest.approx(harrell.interval))


def test_it_is_truncated_where_under_a_tenth_would_be_under_observation() -> None:
    # Ten patients, one censored at each of 1 to 10: nine tenths leave by 9, and G falls below 0.1 at 10.
    time = np.arange(1.0, 11.0)
    cohort = ResampledCohort(np.zeros(10, dtype=bool), time, n_resamples=0)
    assert cohort.follow_up_limit == 10
    assert cohort.beyond_follow_up(9.9) is None
    assert "beyond follow-up: from 10 on" in cohort.beyond_follow_up(10)


def test_its_interval_computes_weights_in_each_resample() -> None:
    risk_score, event, time = random_cohort(60)
    cohort = ResampledCohort(event, time, n_resamples=3)
    expected = []
    for count in cohort.counts[1:].astype(int):
        one = ResampledCohort(np.repeat(event, count), np.repeat(time, count), n_resamples=0)
        expected.append(uno_c_in_cohort(np.repeat(risk_score, count), one, cohort.follow_up_limit).value)
    found = uno_c_in_cohort(risk_score, cohort).interval
    tail = tail_of_resamples((event & (time < cohort.follow_up_limit)).sum())
    assert found == pytest.approx(tuple(np.quantile(expected, [tail, 1 - tail])))
