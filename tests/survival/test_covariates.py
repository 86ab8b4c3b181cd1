"""Covariates: scaled on the training cases, gaps filled with their mean, faults named."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nnunetv2_adamss.survival.covariates import CovariateScaling, read_covariates

TABLE = pd.DataFrame(
    {"volume": [1.0, 3.0, 5.0, np.nan], "suv": [2.0, 2.0, 8.0, np.inf]}, index=["a", "b", "c", "d"]
)


def test_inputs_are_z_scores_on_the_training_cases() -> None:
    scaling = CovariateScaling.fit(TABLE, ["b", "a", "c"])
    inputs = scaling.apply(TABLE, ["c", "a"])
    # Means 3 and 4, standard deviations sqrt(8/3) and sqrt(8).
    np.testing.assert_allclose(inputs["c"], [2 / np.sqrt(8 / 3), 4 / np.sqrt(8)], rtol=1e-6)
    np.testing.assert_allclose(inputs["a"], [-2 / np.sqrt(8 / 3), -2 / np.sqrt(8)], rtol=1e-6)


def test_missing_and_infinite_values_become_the_training_mean() -> None:
    scaling = CovariateScaling.fit(TABLE, ["a", "b", "c"])
    np.testing.assert_array_equal(scaling.apply(TABLE, ["d"])["d"], [0, 0])


def test_other_cases_do_not_change_the_scaling() -> None:
    changed = TABLE.copy()
    changed.loc["d"] = 1e6
    training = ["a", "b", "c"]
    assert CovariateScaling.fit(changed, training) == CovariateScaling.fit(TABLE, training)


def test_scaling_survives_a_round_trip_as_plain_data() -> None:
    scaling = CovariateScaling.fit(TABLE, ["a", "b", "c"])
    assert CovariateScaling.from_dict(scaling.to_dict()) == scaling


def test_without_covariates_every_case_has_an_empty_input() -> None:
    assert {c: v.shape for c, v in CovariateScaling().apply(None, ["a", "b"]).items()} == {
        "a": (0,),
        "b": (0,),
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"constant": 1.0}, "one value or none.*constant"),
        ({"empty": np.nan}, "one value or none.*empty"),
    ],
)
def test_a_column_that_teaches_nothing_is_refused(change: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CovariateScaling.fit(TABLE.assign(**change), ["a", "b", "c"])


def test_cases_without_covariates_are_named() -> None:
    scaling = CovariateScaling.fit(TABLE, ["a", "b", "c"])
    with pytest.raises(ValueError, match="2 case.* x, y"):
        scaling.apply(TABLE, ["a", "x", "y"])
    with pytest.raises(ValueError, match="not there: suv"):
        scaling.apply(TABLE.drop(columns="suv"), ["a"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,x\na,1\n", "no column case_id"),
        ("case_id,x\na,1\na,2\n", "more than one row for a"),
        ("case_id,x\na,one\n", "other values in x"),
        ("case_id\na\n", "no covariates"),
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "covariates.csv"
    file.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_covariates(file)


def test_case_ids_that_look_like_numbers_stay_text(tmp_path: Path) -> None:
    file = tmp_path / "covariates.csv"
    file.write_text("case_id,x\n001,1\n002,\n")
    assert list(read_covariates(file).index) == ["001", "002"]
