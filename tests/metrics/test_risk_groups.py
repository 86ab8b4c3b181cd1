"""Low against high risk, with scikit-survival and a formula as witnesses."""

import numpy as np
import pytest
from sksurv.compare import compare_survival
from sksurv.util import Surv

from nnunetv2_adamss.metrics.risk_groups import compare_risk_groups
from tests.metrics.cohorts import random_cohort


def test_the_log_rank_test_equals_scikit_survivals() -> None:
    risk_score, event, time = random_cohort(150)
    is_high = risk_score > -6.5
    found = compare_risk_groups(is_high, event, time, "a threshold")
    _, p_value = compare_survival(Surv.from_arrays(event, time), is_high)
    assert found.log_rank_p == pytest.approx(p_value)
    assert [group.name for group in found.groups] == ["low", "high"]
    assert [group.n_events for group in found.groups] == [event[~is_high].sum(), event[is_high].sum()]


def test_the_hazard_ratio_finds_the_ratio_of_the_rates() -> None:
    rng = np.random.default_rng(0)
    is_high = np.repeat([False, True], 1500)
    time = rng.exponential(np.where(is_high, 500, 1000))
    ratio = compare_risk_groups(is_high, np.ones(3000, dtype=bool), time, "truth").hazard_ratio
    assert ratio.value == pytest.approx(2, rel=0.1)
    assert ratio.interval[0] < 2 < ratio.interval[1]


def test_the_median_survival_is_named_where_it_is_reached() -> None:
    is_high = np.repeat([False, True], 4)
    event = np.array([False, True, False, False, True, True, True, True])
    groups = compare_risk_groups(is_high, event, np.array([9.0, 8, 9, 9, 1, 2, 3, 4]), "truth").groups
    assert [group.median_survival for group in groups] == [None, 2]


@pytest.mark.parametrize(
    ("is_high", "event", "reason"),
    [
        ([True] * 4, [True] * 4, "no patient is of low risk"),
        ([True, True, False, False], [False] * 4, "no events"),
        (
            [True, True, False, False],
            [True, True, False, False],
            "no events among the patients of low risk",
        ),
        (
            [True, True, False, False],
            [True, True, False, True],
            "the events of low risk come when no other patient is left",
        ),
    ],
)
def test_groups_that_cannot_be_compared_have_a_reason(is_high: list, event: list, reason: str) -> None:
    found = compare_risk_groups(np.array(is_high), np.array(event), np.arange(1.0, 5.0), "truth")
    assert found.hazard_ratio.value is None
    assert found.hazard_ratio.reason == f"not estimable: {reason}"
