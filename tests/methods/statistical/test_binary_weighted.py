"""One estimator of ICARE by hand on a few patients, against slow counts and the published figure."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sksurv.datasets import load_veterans_lung_cancer
from sksurv.preprocessing import OneHotEncoder

from nnunetv2_adamss.methods.statistical.binary_weighted import (
    BinaryWeighted,
    IcareSettings,
    Training,
    fit_binary_weighted,
    univariate_concordance,
)
from nnunetv2_adamss.metrics.concordance import harrell_c
from tests.methods.cohorts import EARLY, EVENT, LATE, TIME, UNRELATED, random_cohort


def fitted(
    features: pd.DataFrame,
    event: NDArray[np.bool_] = EVENT,
    time: NDArray[np.float64] = TIME,
    *,
    seed: int = 0,
    **settings: float,
) -> BinaryWeighted:
    """An estimator of all cases; by default it uses all features."""
    training = Training(features.astype(np.float64), event, time)
    return fit_binary_weighted(training, np.random.default_rng(seed), IcareSettings(**settings))


def z_scores(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return (values - values.mean()) / values.std()


def test_the_risk_is_the_standardised_mean_of_signed_z_scores() -> None:
    model = fitted(pd.DataFrame({"early": EARLY, "late": LATE}))
    assert dict(zip(model.names, model.signs, strict=True)) == {"early": 1, "late": -1}
    expected = z_scores(z_scores(EARLY) - z_scores(LATE))
    new = pd.DataFrame({"late": LATE, "early": EARLY})
    np.testing.assert_allclose(model.risk_score(new), expected)
    # At its means, a patient's two z-scores are 0, as their mean over the training cases is.
    centre = pd.DataFrame({"early": [EARLY.mean()], "late": [LATE.mean()]})
    np.testing.assert_allclose(model.risk_score(centre), 0, atol=1e-12)


def test_a_c_index_of_exactly_a_half_gets_the_positive_sign() -> None:
    assert harrell_c(UNRELATED, EVENT, TIME).c_index == 0.5
    assert fitted(pd.DataFrame({"unrelated": UNRELATED})).signs == (1,)


def test_cmin_keeps_what_ranks_well_in_either_direction_and_the_bound_itself() -> None:
    features = pd.DataFrame({"early": EARLY, "late": LATE, "unrelated": UNRELATED})
    found = {cmin: set(fitted(features, cmin=cmin).names) for cmin in (0.5, 0.51, 13 / 15, 0.9, 0.95)}
    assert found == {
        0.5: {"early", "late", "unrelated"},
        0.51: {"early", "late"},
        13 / 15: {"early", "late"},
        0.9: {"early"},
        0.95: set(),
    }


def test_without_a_feature_everybody_gets_the_same_risk_of_1() -> None:
    features = pd.DataFrame({"unrelated": UNRELATED})
    model = fitted(features, cmin=0.6)
    assert model == BinaryWeighted()
    assert model.risk_score(features).tolist() == [1.0] * 6


def test_of_two_correlated_features_the_one_that_comes_first_by_chance_stays() -> None:
    features = pd.DataFrame({"early": EARLY, "twin": -2 * EARLY + 1, "unrelated": UNRELATED})
    kept = {frozenset(fitted(features, seed=seed, rho=0.9).names) for seed in range(20)}
    assert kept == {frozenset({"early", "unrelated"}), frozenset({"twin", "unrelated"})}


def test_the_filter_drops_what_repeats_any_earlier_feature_even_a_dropped_one() -> None:
    features, event, time = random_cohort(60, 30)
    everything = fitted(features, event, time, seed=3)  # the order is drawn before the filter
    filtered = fitted(features, event, time, seed=3, rho=0.55)
    expected = [
        name
        for place, name in enumerate(everything.names)
        if not any(
            abs(np.corrcoef(features[name], features[earlier])[0, 1]) > 0.55
            for earlier in everything.names[:place]
        )
    ]
    assert 1 < len(expected) < 30
    assert list(filtered.names) == expected


def test_missing_values_are_left_out_of_the_mean() -> None:
    early = np.where(np.arange(6) == 2, np.nan, EARLY)
    features = pd.DataFrame({"early": early, "late": LATE})
    model = fitted(features)
    known = EARLY[np.arange(6) != 2]
    z_early, z_late = (early - known.mean()) / known.std(), -z_scores(LATE)
    mean = np.where(np.isnan(early), z_late, (z_early + z_late) / 2)
    np.testing.assert_allclose(model.risk_score(features), z_scores(mean))
    nothing_known = pd.DataFrame({"early": [np.nan], "late": [np.nan]})
    assert model.risk_score(nothing_known).tolist() == [0.0]


def test_features_that_say_nothing_about_these_patients_are_not_used() -> None:
    first_only = np.where(np.arange(6) == 0, 1.0, np.nan)
    features = pd.DataFrame({"same": 0.1, "missing": np.nan, "first_only": first_only, "early": EARLY})
    model = fitted(features, rho=0.9)
    assert model.names == ("early",)


def test_features_that_cancel_out_leave_no_risk_instead_of_rounding_errors() -> None:
    features = pd.DataFrame({"unrelated": UNRELATED, "opposite": 0.7 - UNRELATED / 3})
    np.testing.assert_allclose(fitted(features).risk_score(features), 0, atol=1e-9)


@pytest.mark.parametrize("share, n_drawn", [(0.01, 1), (0.199, 1), (0.35, 3), (1.0, 10)])
def test_the_share_of_features_is_rounded_down_to_at_least_one(share: float, n_drawn: int) -> None:
    features, event, time = random_cohort(50, 10)
    drawn = [fitted(features, event, time, seed=s, max_features=share).names for s in range(60)]
    assert {len(names) for names in drawn} == {n_drawn}
    assert {name for names in drawn for name in names} == set(features)


@given(st.data())
def test_all_columns_together_have_the_c_index_of_each_by_itself(data: st.DataObject) -> None:
    n_cases = data.draw(st.integers(2, 20))
    draw = [st.lists(st.integers(1, 5), min_size=n_cases, max_size=n_cases)] * 3
    *columns, time = (np.array(data.draw(values), dtype=np.float64) for values in draw)
    event, known = np.array(
        data.draw(st.lists(st.booleans(), min_size=2 * n_cases, max_size=2 * n_cases))
    ).reshape(2, -1)
    columns[1] = np.where(known, columns[1], np.nan)
    found = univariate_concordance(np.column_stack(columns), event, time)
    for column, c_index in zip(columns, found, strict=True):
        has = ~np.isnan(column)
        expected = harrell_c(column[has], event[has], time[has]).c_index if has.any() else None
        assert c_index == pytest.approx(np.nan if expected is None else expected, nan_ok=True)


def test_the_published_package_has_the_same_c_index_on_the_veterans() -> None:
    features, outcomes = load_veterans_lung_cancer()
    features = OneHotEncoder().fit_transform(features)
    event, time = outcomes["Status"], outcomes["Survival_in_days"]
    risk_score = fitted(features, event, time).risk_score(features)
    assert harrell_c(risk_score, event, time).c_index == pytest.approx(0.66697, abs=5e-6)
