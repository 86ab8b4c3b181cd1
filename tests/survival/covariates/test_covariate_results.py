"""What people get to read of the covariates: hazard ratios, selected features, the path, a part of the summary."""

import json
from pathlib import Path

import pandas as pd

from nnunetv2_adamss.survival.covariates.covariate_results import (
    COVARIATE_FILES,
    covariate_summary,
    write_covariate_files,
)
from nnunetv2_adamss.survival.covariates.fitting import CovariateReport
from tests.survival.covariates.study import fit


def test_files_hold_what_was_fitted(tmp_path: Path) -> None:
    model, report = fit()
    write_covariate_files(tmp_path, report)
    assert {path.name for path in tmp_path.iterdir()} == {*COVARIATE_FILES}
    ratios = pd.read_csv(tmp_path / "hazard_ratios.csv")
    assert list(ratios["indicator"].unique()) == ["age", "smoker", "shoe"]
    assert ratios.loc[ratios["indicator"] == "shoe", "multivariate_hr"].isna().all()
    selected = pd.read_csv(tmp_path / "selected_features.csv")
    assert tuple(selected["feature"]) == model.features.names
    assert selected["bootstrap_frequency"].between(0, 1).all()


def test_the_summary_names_inputs_weights_and_frequencies() -> None:
    model, report = fit()
    found = json.loads(json.dumps(covariate_summary(model, report)))
    assert found["inputs"] == model.names == list(found["cox_weights"])
    assert found["clinical_indicators"] == ["age", "smoker"]
    first = found["feature_selection"]["selected"][0]
    assert first["feature"] == "feature_001"
    assert first["weight"] > 0
    assert first["bootstrap_frequency"] > 0.9


def test_an_empty_selection_is_a_table_without_rows_and_a_reason(tmp_path: Path) -> None:
    model, report = fit(max_features=0)
    write_covariate_files(tmp_path, report)
    assert {path.name for path in tmp_path.iterdir()} == {"hazard_ratios.csv", "selected_features.csv"}
    assert pd.read_csv(tmp_path / "selected_features.csv").empty
    assert "--max_features" in covariate_summary(model, report)["feature_selection"]["reason"]


def test_without_covariates_there_is_nothing_to_write(tmp_path: Path) -> None:
    write_covariate_files(tmp_path, CovariateReport())
    assert not list(tmp_path.iterdir())
