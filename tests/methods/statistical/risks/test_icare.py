"""ICARE: its estimators' patients, settings and median, on made-up cohorts and on a real table."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifelines import CoxPHFitter

from nnunetv2_adamss.methods.statistical.binary_weighted import BinaryWeighted, IcareSettings
from nnunetv2_adamss.methods.statistical.risks.icare import IcareModel, fit_icare
from nnunetv2_adamss.metrics.concordance import harrell_c
from tests.methods.cohorts import EARLY, EVENT, LATE, TIME, random_cohort


def test_new_patients_at_high_risk_die_early() -> None:
    features, event, time = random_cohort(300, 20, signal=3.0)
    model = fit_icare(
        features[:200], event[:200], time[:200], seed=0, n_estimators=20, settings=(IcareSettings(),)
    )
    c_index = harrell_c(model.risk_score(features[200:]), event[200:], time[200:]).c_index
    assert c_index is not None and c_index > 0.7


def test_a_warning_says_that_the_median_ranks_no_patients_if_most_estimators_find_no_feature(
    caplog: pytest.LogCaptureFixture,
) -> None:
    features, event, time = random_cohort(80, 5, signal=0.0)
    model = fit_icare(
        features, event, time, seed=0, settings=(IcareSettings(0.5, 0.6, 0.2),), n_estimators=20
    )
    assert set(model.risk_score(features)) == {1.0}
    assert "of 20 ICARE estimators found no feature" in caplog.text


def test_mandatory_features_are_added_to_those_that_are_drawn() -> None:
    features, event, time = random_cohort(50, 10)
    settings = (IcareSettings(max_features=0.2),)
    must = ["feature_0004", "feature_0007"]
    model = fit_icare(features, event, time, seed=0, n_estimators=50, settings=settings, mandatory=must)
    assert all(set(must) <= set(estimator.names) for estimator in model.estimators)
    # Drawn as well, they count once.
    assert {len(estimator.names) for estimator in model.estimators} == {2, 3, 4}


def test_the_model_predicts_by_the_median_of_its_estimators() -> None:
    estimators = tuple(
        BinaryWeighted(("a",), (sign,), (mean,), (1.0,)) for sign, mean in ((1, 0.0), (1, 5.0), (-1, 1.0))
    )
    risk_score = IcareModel(estimators).risk_score(pd.DataFrame({"a": [2.0, 4.0]}))
    # 2, -3, -1 for the first; 4, -1, -3 for the second.
    assert risk_score.tolist() == [-1.0, -1.0]
    assert IcareModel(estimators[:2]).risk_score(pd.DataFrame({"a": [2.0]})).tolist() == [-0.5]


def test_each_estimator_has_its_own_patients_and_one_of_the_settings() -> None:
    features, event, time = random_cohort(80, 100)
    settings = (IcareSettings(max_features=0.03), IcareSettings(max_features=0.2))
    model = fit_icare(features, event, time, seed=0, n_estimators=60, settings=settings)
    sizes = [len(estimator.names) for estimator in model.estimators]
    assert set(sizes) == {3, 20} and 15 < sizes.count(3) < 45
    whole = features.mean()
    means = [
        mean - whole[name]
        for one in model.estimators
        for name, mean in zip(one.names, one.means, strict=True)
    ]
    # The mean of a bootstrap sample differs by the standard error.
    assert np.std(means) == pytest.approx(features.std().mean() / np.sqrt(80), rel=0.15)


def test_the_seed_decides() -> None:
    cohort = random_cohort(60, 40)
    first, again, other = (fit_icare(*cohort, seed=seed, n_estimators=10) for seed in (0, 0, 1))
    assert first == again != other


@given(st.integers(0, 9), st.sampled_from([-3.0, 0.01, 50.0]), st.floats(-100, 100))
def test_another_unit_or_direction_of_a_feature_changes_nothing(
    place: int, factor: float, shift: float
) -> None:
    features, event, time = random_cohort(40, 10)
    other_unit = features.copy()
    other_unit.iloc[:, place] = features.iloc[:, place] * factor + shift
    settings = (IcareSettings(rho=0.6, cmin=0.52, max_features=0.5),)
    models = [
        fit_icare(table, event, time, seed=2, n_estimators=3, settings=settings)
        for table in (features, other_unit)
    ]
    np.testing.assert_allclose(models[0].risk_score(features), models[1].risk_score(other_unit), atol=1e-9)


def test_the_model_survives_json() -> None:
    features, event, time = random_cohort(60, 40)
    model = fit_icare(features, event, time, seed=0, n_estimators=20)
    restored = IcareModel.from_dict(json.loads(json.dumps(model.to_dict())))
    assert restored == model
    assert restored.risk_score(features).tolist() == model.risk_score(features).tolist()


def test_shuffled_outcomes_cannot_be_predicted() -> None:
    features, event, time = random_cohort(200, 60)
    scores = []
    for seed in range(20):
        order = np.random.default_rng(seed).permutation(200)
        event, time = event[order], time[order]
        model = fit_icare(features[:120], event[:120], time[:120], seed=seed, n_estimators=15)
        scores.append(harrell_c(model.risk_score(features[120:]), event[120:], time[120:]).c_index)
    assert abs(np.mean(scores) - 0.5) < 3 * np.std(scores, ddof=1) / np.sqrt(20)


def test_on_real_patients_it_comes_close_to_a_ridge_cox_model(real_data: Path) -> None:
    table = pd.read_csv(real_data / "tables" / "hn_petct_vallieres2017_clinical.csv")
    names = ["Age", "T_stage", "N_stage", "TNM_stage", "HPV"]
    table = table[[*names, "event_Death", "time_Death"]].apply(pd.to_numeric, errors="coerce")
    event, time = table["event_Death"].to_numpy(bool), table["time_Death"].to_numpy(np.float64)
    scores = []
    for seed in range(6):
        train, test = np.split(np.random.default_rng(seed).permutation(len(table)), [200])
        icare = fit_icare(table[names].iloc[train], event[train], time[train], seed=0, n_estimators=60)
        filled = table.fillna(table.iloc[train].median())
        cox = CoxPHFitter(penalizer=0.1).fit(filled.iloc[train], "time_Death", "event_Death")
        risk_scores = (
            icare.risk_score(table[names].iloc[test]),
            cox.predict_log_partial_hazard(filled.iloc[test]).to_numpy(),
        )
        scores.append([harrell_c(risk, event[test], time[test]).c_index for risk in risk_scores])
    of_icare, of_cox = np.mean(scores, axis=0)
    assert of_icare > 0.6
    assert of_icare == pytest.approx(of_cox, abs=0.06)


def test_a_hundred_estimators_see_as_many_features_as_the_paper_has() -> None:
    features, event, time = random_cohort(300, 1500)
    icare = fit_icare(features, event, time, seed=0, n_estimators=100)
    assert len(icare.estimators) == 100
    risk_score = icare.risk_score(features)
    assert np.isfinite(risk_score).all()
    # What is fitted to noise ranks the patients that it was fitted to.
    assert harrell_c(risk_score, event, time).c_index > 0.6


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"event": EVENT[:5]}, "'features' have 6 cases, 'event' 5 and 'time' 6"),
        ({"features": pd.DataFrame(index=range(6))}, "at least one feature"),
        ({"features": pd.DataFrame([[1, 2]] * 6, columns=["a", "a"])}, "no name twice"),
        ({"features": pd.DataFrame({"a": EARLY, "b": np.inf})}, "1 .* infinite values: b"),
        ({"mandatory": ["early", "age", "T"]}, "2 mandatory .* not among the features: age, T"),
        ({"event": ~EVENT}, "no comparable pair among 6 patients with 0 events"),
    ],
)
def test_inputs_that_do_not_fit_are_said(changes: dict, message: str) -> None:
    inputs = {"features": pd.DataFrame({"early": EARLY}), "event": EVENT, "time": TIME} | changes
    with pytest.raises(ValueError, match=message):
        fit_icare(**inputs, seed=0)


def test_icare_without_estimators_or_settings_is_an_error() -> None:
    features = pd.DataFrame({"early": EARLY})
    with pytest.raises(ValueError, match="got 0 and 5"):
        fit_icare(features, EVENT, TIME, seed=0, n_estimators=0)
    with pytest.raises(ValueError, match="got 1000 and 0"):
        fit_icare(features, EVENT, TIME, seed=0, settings=())


def test_prediction_names_the_features_that_are_missing_or_infinite() -> None:
    features = pd.DataFrame({"early": EARLY, "late": LATE})
    model = fit_icare(features, EVENT, TIME, seed=0, n_estimators=20, settings=(IcareSettings(),))
    with pytest.raises(ValueError, match=r"1 feature\(s\) of the ICARE model are missing: late"):
        model.risk_score(features[["early"]])
    with pytest.raises(ValueError, match=r"1 feature\(s\) have infinite values: early"):
        model.risk_score(features.assign(early=np.inf))
