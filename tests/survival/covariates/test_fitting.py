"""Covariates as a whole: what goes into the model, that only training cases have a say, and what is said."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter

from nnunetv2_adamss.survival.cohort.description import ColumnType
from nnunetv2_adamss.survival.covariates.covariate_model import CovariateModel
from nnunetv2_adamss.survival.covariates.covariate_tables import CovariateTables
from nnunetv2_adamss.survival.covariates.fitting import CovariateReport
from tests.survival.covariates.cohorts import outcomes
from tests.survival.covariates.study import (
    CASES,
    CLINICAL,
    EVENT,
    FEATURES,
    N_CASES,
    TABLES,
    TIME,
    TRAINING,
    VALIDATION,
    fit,
)


def test_what_bears_on_survival_goes_in_and_the_rest_stays_out_and_is_named() -> None:
    model, report = fit()
    assert [one.name for one in model.indicators] == ["age", "smoker"]
    assert "feature_001" in model.features.names
    assert "shoe (P = " in " ".join(report.notes)
    assert model.names == ["age", *model.indicators[1].columns, *model.features.names]
    assert report.selection is not None
    # Ten events a feature, less the three clinical columns.
    assert report.selection.limit == EVENT[:120].sum() // 10 - 3


def test_everything_can_be_kept() -> None:
    model, report = fit(clinical_selection="none", feature_selection="none")
    assert [one.name for one in model.indicators] == ["age", "smoker", "shoe"]
    assert list(model.features.names) == list(FEATURES)
    assert report.selection is None


def test_the_most_features_can_be_set() -> None:
    model, report = fit(max_features=4)
    assert len(model.features.names) <= 1
    model, report = fit(max_features=3)
    assert model.features.names == ()
    assert "No feature out of 12 is selected (3 allowed for" in " ".join(report.notes)


def test_features_that_do_not_vary_leave_nothing_to_select_from() -> None:
    model, report = fit(CovariateTables(features=pd.DataFrame({"constant": 0.3}, index=CASES)))
    assert model.features.names == ()
    selection = report.selection
    assert selection is not None and selection.reason == "no feature varies in the training cases"
    assert (selection.n_candidates, selection.n_uncorrelated, selection.limit) == (0, 0, 0)


def test_inputs_of_the_training_cases_are_z_scores_and_flags() -> None:
    model, _ = fit()
    inputs = model.inputs(TABLES, TRAINING)
    assert list(inputs) == model.names
    known = CLINICAL.loc[TRAINING, "age"].dropna()
    assert inputs.loc[known.index, "age"].mean() == pytest.approx(0)
    assert set(inputs[model.names[1]]) == {0.0, 1.0}
    assert inputs[list(model.features.names)].std(ddof=0).to_numpy() == pytest.approx(1)
    applied = model.apply(TABLES, ["case_150", "case_003"])
    assert list(applied) == ["case_150", "case_003"]
    assert applied["case_003"].dtype == np.float32
    np.testing.assert_allclose(applied["case_003"], inputs.loc["case_003"], rtol=1e-6)


CHANGES: dict[str, Callable[[pd.DataFrame, pd.DataFrame], object]] = {
    "features": lambda clinical, table: table.__setitem__("feature_001", table["feature_001"] * 1e3),
    "gaps": lambda clinical, table: table.__setitem__("feature_003", np.nan),
    "numbers": lambda clinical, table: clinical.__setitem__("age", clinical["age"] * 1e3),
    "categories": lambda clinical, table: clinical.__setitem__("smoker", "never"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_covariates_of_validation_cases_have_no_say_in_what_is_fitted(what: str) -> None:
    clinical, table = CLINICAL.loc[VALIDATION].copy(), FEATURES.loc[VALIDATION].copy()
    CHANGES[what](clinical, table)
    changed = replace(
        TABLES,
        clinical=pd.concat([CLINICAL.loc[TRAINING], clinical]),
        features=pd.concat([FEATURES.loc[TRAINING], table]),
        groups=pd.Series(["A"] * 120 + ["B"] * 40, index=CASES),
    )
    assert not changed.features.equals(TABLES.features) or not changed.clinical.equals(TABLES.clinical)
    assert fit(changed) == fit()


def test_outcomes_of_validation_cases_have_no_say_in_what_is_fitted() -> None:
    event, time = EVENT.copy(), TIME.copy()
    event[120:], time[120:] = ~event[120:], time[120:] * 10
    assert fit(event=event, time=time) == fit()


def test_shuffling_a_covariate_changes_the_risk() -> None:
    model, report = fit()
    assert report.only_cox is not None
    before = report.only_cox.risk_score(model.inputs(TABLES, VALIDATION))
    for name, table in (("age", CLINICAL), ("smoker", CLINICAL), ("feature_001", FEATURES)):
        shuffled = table.copy()
        shuffled[name] = np.roll(shuffled[name].to_numpy(), 7)
        tables = replace(TABLES, **{"clinical" if table is CLINICAL else "features": shuffled})
        after = report.only_cox.risk_score(model.inputs(tables, VALIDATION))
        assert np.abs(after - before).max() > 0.1, name


def test_the_model_on_covariates_alone_is_lifelines_ridge() -> None:
    model, report = fit()
    assert report.only_cox is not None
    inputs = model.inputs(TABLES, TRAINING)
    fitter = CoxPHFitter(penalizer=0.1).fit(inputs.assign(t=TIME[:120], e=EVENT[:120]), "t", "e")
    np.testing.assert_allclose(report.only_cox.weights, fitter.params_, rtol=1e-5)
    expected = fitter.predict_log_partial_hazard(model.inputs(TABLES, VALIDATION))
    found = report.only_cox.risk_score(model.inputs(TABLES, VALIDATION))
    np.testing.assert_allclose(found - found[0], expected - expected.iloc[0], rtol=1e-4)


def test_hazard_ratios_are_lifelines_for_the_unit_that_is_named() -> None:
    _, report = fit()
    rows = {row["column"]: row for row in report.hazard_ratios}
    assert list(rows) == ["age", *(column for column in rows if column.startswith("smoker=")), "shoe"]
    age = CLINICAL.loc[TRAINING, "age"]
    table = pd.DataFrame({"x": age.fillna(age.median()), "t": TIME[:120], "e": EVENT[:120]})
    expected = CoxPHFitter().fit(table, "t", "e")
    deviation = age.std(ddof=0)
    assert rows["age"]["unit"] == f"standard deviation ({deviation:.4g})"
    assert np.log(rows["age"]["univariate_hr"]) / deviation == pytest.approx(expected.params_["x"], rel=1e-5)
    assert rows["age"]["univariate_p"] == pytest.approx(expected.summary.loc["x", "p"], rel=1e-4)
    assert rows["age"]["screening_p"] == pytest.approx(expected.log_likelihood_ratio_test().p_value, rel=1e-4)
    assert rows["age"]["multivariate_hr"] != rows["age"]["univariate_hr"]
    assert rows["shoe"]["kept"] is False
    assert rows["shoe"]["multivariate_hr"] is None
    # Nothing separates the events, so nothing is said of it.
    assert {row["note"] for row in rows.values()} == {""}


def test_a_step_of_an_ordinal_indicator_is_one_category() -> None:
    grade = pd.Series(np.random.default_rng(0).choice([1.0, 2.0, 4.0], N_CASES), index=CASES, name="grade")
    event, time = outcomes(0.5 * grade.to_numpy(), seed=2)
    _, report = fit(CovariateTables(grade.to_frame(), {"grade": ColumnType("ordinal")}), event, time)
    (row,) = report.hazard_ratios
    table = pd.DataFrame({"x": grade.to_numpy()[:120], "t": time[:120], "e": event[:120]})
    assert row["unit"] == "step"
    expected = CoxPHFitter().fit(table, "t", "e").summary.loc["x"]
    assert row["univariate_hr"] == pytest.approx(expected["exp(coef)"], rel=1e-5)
    assert row["univariate_hr_low"] == pytest.approx(expected["exp(coef) lower 95%"], rel=1e-5)


def test_separation_is_said_in_the_table_of_hazard_ratios() -> None:
    immune = pd.Series(
        np.where(~EVENT & (np.arange(N_CASES) % 2 == 0), "yes", "no"), index=CASES, name="immune"
    )
    _, report = fit(CovariateTables(immune.to_frame(), {"immune": ColumnType("category")}))
    (row,) = report.hazard_ratios
    assert "separation" in row["note"]
    assert row["kept"]
    assert 0 < row["univariate_hr"] < row["univariate_hr_high"] < np.inf


def test_gaps_in_features_get_the_training_mean_and_are_named(caplog: pytest.LogCaptureFixture) -> None:
    table = FEATURES.copy()
    table.loc["case_002", ["feature_001", "feature_002"]] = [np.inf, np.nan]
    table.loc["case_140", "feature_001"] = -np.inf
    table["constant"] = 0.3
    tables = replace(TABLES, features=table)
    model, report = fit(tables)
    said = " ".join(report.notes)
    assert "2 feature values of 1 training case(s) are missing or not finite" in said
    assert "left out: constant" in said
    caplog.clear()
    inputs = model.inputs(tables, ["case_140", "case_141"])
    assert inputs.loc["case_140", "feature_001"] == 0
    assert "Features of 1 case(s)" in caplog.text
    assert "case_140" in caplog.text


def test_what_the_model_needs_and_is_not_there_is_named() -> None:
    model, _ = fit()
    with pytest.raises(
        ValueError, match="needs clinical columns that are not there: age. .* leave its cells empty"
    ):
        model.apply(replace(TABLES, clinical=CLINICAL.drop(columns="age")), VALIDATION)
    with pytest.raises(ValueError, match="needs features that are not there: .*feature_001"):
        model.apply(replace(TABLES, features=FEATURES.drop(columns="feature_001")), VALIDATION)
    with pytest.raises(ValueError, match="1 case.* no features: unknown_case"):
        model.apply(replace(TABLES, clinical=CLINICAL.reindex([*CASES, "unknown_case"])), ["unknown_case"])
    with pytest.raises(ValueError, match="2 case.* no clinical indicators: x, y"):
        model.apply(TABLES, ["case_000", "x", "y"])


def test_without_covariates_every_case_has_an_empty_input() -> None:
    model, report = fit(CovariateTables())
    assert {c: v.shape for c, v in model.apply(CovariateTables(), ["a", "b"]).items()} == {
        "a": (0,),
        "b": (0,),
    }
    assert report == CovariateReport()


def test_model_and_report_survive_a_round_trip_as_plain_data() -> None:
    import json

    model, report = fit()
    assert CovariateModel.from_dict(json.loads(json.dumps(model.to_dict()))) == model
    assert CovariateReport.from_dict(json.loads(json.dumps(report.to_dict()))) == report
