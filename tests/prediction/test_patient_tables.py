"""The clinical table of new patients: read as the model learnt its columns, by this version or by 0.1."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nnunetv2_adamss.common.tables.faults import FileFaultsError
from nnunetv2_adamss.prediction.patient_tables import PatientTables, read_clinical
from nnunetv2_adamss.survival.cohort.description import ColumnType
from nnunetv2_adamss.survival.covariates.clinical_encoding import fit_indicators
from nnunetv2_adamss.survival.covariates.covariate_model import CovariateModel
from nnunetv2_adamss.survival.covariates.covariate_tables import CovariateTables
from nnunetv2_adamss.survival.covariates.indicator import Indicator
from nnunetv2_adamss.survival.covariates.remarks import remarks_on

# As a checkpoint of version 0.1 holds it: age was a number, tobacco a category, and so was a T stage.
OF_0_1 = {
    "indicators": [
        {
            "name": "age", "kind": "number", "fill": 60.0, "levels": [], "merged": [], "mean": 60.0, "spread": 10.0,
            "lowest": 40.0, "highest": 80.0,
        },
        {
            "name": "tobacco", "kind": "category", "fill": "no", "levels": ["no", "yes", "unknown", "none", "NULL"],
            "merged": ["-"], "mean": 0.0, "spread": 1.0, "lowest": None, "highest": None,
        },
        {
            "name": "t", "kind": "category", "fill": "(unknown)", "levels": ["2", "1", "(unknown)", "4a"], "merged": [],
            "mean": 0.0, "spread": 1.0, "lowest": None, "highest": None,
        },
    ],
    "features": {"names": [], "means": [], "deviations": [], "lowest": [], "highest": []},
}  # fmt: skip


def write(folder: Path, *rows: str, header: str = "case_id,age,tobacco,t") -> Path:
    file = folder / "clinical.csv"
    file.write_text("\n".join([header, *rows]) + "\n")
    return file


@pytest.fixture
def model() -> CovariateModel:
    return CovariateModel.from_dict(OF_0_1)


def test_a_model_of_version_0_1_gives_the_same_inputs(model: CovariateModel, tmp_path: Path) -> None:
    file = write(
        tmp_path, "a,70,yes,1", "b,50.0,unknown,2.0", "c,NA,none,4a", "d,,NULL,", "e,60,-,2", "f,60,N/A,1"
    )
    inputs = model.inputs(CovariateTables(read_clinical(file, model.indicators)), list("abcdef"))
    assert list(inputs) == [
        "age", "tobacco=yes", "tobacco=unknown", "tobacco=none", "tobacco=NULL", "t=1", "t=(unknown)", "t=4a"
    ]  # fmt: skip
    np.testing.assert_array_equal(
        inputs,
        [
            [1, 1, 0, 0, 0, 1, 0, 0],
            [-1, 0, 1, 0, 0, 0, 0, 0],
            [0, 0, 0, 1, 0, 0, 0, 1],
            [0, 0, 0, 0, 1, 0, 1, 0],
            [0, 0, 0, 0, 0, 0, 0, 0],
            [0, 0, 0, 0, 0, 1, 0, 0],
        ],
    )


def test_a_column_of_numbers_that_was_learnt_as_categories_still_is(model: CovariateModel) -> None:
    numbers = pd.DataFrame({"age": [60.0, 60], "tobacco": ["no", "no"], "t": [1.0, np.nan]}, index=["a", "b"])
    texts = numbers.assign(t=["1", "4a"])
    inputs = model.inputs(CovariateTables(numbers, texts=texts), ["a", "b"])
    np.testing.assert_array_equal(inputs[["t=1", "t=4a"]], [[1, 0], [0, 1]])
    np.testing.assert_array_equal(model.inputs(CovariateTables(numbers), ["a"])["t=1"], [1])


def test_codes_and_decimal_commas_among_numbers_are_read(model: CovariateModel, tmp_path: Path) -> None:
    file = write(tmp_path, 'a,"63,5",no,2', "b,unknown,no,2", "c,#N/A,no,2", 'd,"1,234",no,2')
    tables = CovariateTables(read_clinical(file, model.indicators))
    # Each patient is predicted alone; the comma was read with the whole column at hand.
    ages = [model.inputs(tables, [case_id])["age"].item() for case_id in "abcd"]
    assert ages == pytest.approx([0.35, 0, 0, (1.234 - 60) / 10])
    remarks = remarks_on(model, tables, list("abcd"))
    assert remarks["a"] == []
    assert remarks["b"] == remarks["c"] == ["age is not known and was imputed"]


def test_text_among_numbers_fails_its_patient_alone(model: CovariateModel, tmp_path: Path) -> None:
    tables = CovariateTables(read_clinical(write(tmp_path, "a,about 70,no,2", "b,70,no,2"), model.indicators))
    assert model.inputs(tables, ["b"])["age"].item() == 1
    with pytest.raises(ValueError, match="'age' holds numbers, but also about 70. Correct the cells"):
        model.inputs(tables, ["a"])


def test_what_may_be_thousands_is_named(model: CovariateModel, tmp_path: Path) -> None:
    file = write(tmp_path, 'a,"1,234",no,2', "b,70.5,no,2")
    with pytest.raises(
        FileFaultsError, match="column 'age' has numbers that may be decimal.*: row 2 '1,234'"
    ):
        read_clinical(file, model.indicators)


def test_declared_codes_go_into_the_model(tmp_path: Path) -> None:
    training = pd.DataFrame({"age": np.arange(40.0, 60), "site": ["x", "y"] * 10})
    types = {
        "age": ColumnType("number", (), ("-9",)), "site": ColumnType("category", (), ("not asked",))
    }  # fmt: skip
    indicators, _ = fit_indicators(training, types)
    again = [Indicator.from_dict(one.to_dict()) for one in indicators]
    assert again == indicators
    clinical = read_clinical(write(tmp_path, "a,-9.0,Not asked", header="case_id,age,site"), again)
    assert clinical.isna().all(axis=None)
    (plain,), _ = fit_indicators(training[["age"]], {"age": ColumnType("number")})
    assert "missing_values" not in plain.to_dict()  # version 0.1 reads it


def given(
    model: CovariateModel, clinical: Any, features: Any = None, feature_names: tuple[str, ...] = ()
) -> Any:
    """The tables of a model with these indicators and features."""
    names: Any = SimpleNamespace(indicators=model.indicators, features=feature_names, radiomics=())
    return PatientTables.given(names, clinical, features)


CLINICAL = pd.DataFrame(
    {"case_id": ["a", "b"], "centre": ["x", "y"], "age": [70, 50], "tobacco": ["no", "yes"], "t": ["2", "1"]}
)


@pytest.mark.parametrize(
    "table",
    [
        CLINICAL,
        CLINICAL.set_index("case_id"),
        CLINICAL.set_index("case_id", drop=False),
        CLINICAL.set_index(["centre", "case_id"]),
        CLINICAL.set_index(["centre", "case_id"], drop=False),
        CLINICAL.set_index(["case_id", "age"]),
        CLINICAL.set_index([["p", "q"], "case_id"]),
        CLINICAL.set_index("centre"),
    ],
)
def test_case_ids_are_found_wherever_a_data_frame_has_them(
    model: CovariateModel, table: pd.DataFrame
) -> None:
    found = given(model, table).clinical
    assert found.to_dict("index") == {
        "a": {"age": "70", "tobacco": "no", "t": "2"}, "b": {"age": "50", "tobacco": "yes", "t": "1"}
    }  # fmt: skip


def test_case_ids_that_differ_between_index_and_column_are_refused(model: CovariateModel) -> None:
    table = CLINICAL.set_axis(pd.Index(["b", "a"], name="case_id"))
    with pytest.raises(ValueError, match="'clinical' has case_id as index and as column, and they differ"):
        given(model, table)


@pytest.mark.parametrize("table", [CLINICAL["age"], {"case_id": ["a"]}, [CLINICAL], 3])
def test_what_is_neither_a_file_nor_a_data_frame_is_refused(model: CovariateModel, table: Any) -> None:
    sentence = f"must be a CSV file or a data frame, but is a {type(table).__name__}"
    with pytest.raises(ValueError, match=f"'clinical' {sentence}"):
        given(model, table)
    with pytest.raises(ValueError, match=f"'features' {sentence}"):
        given(model, CLINICAL, table)


def test_what_is_missing_is_named_for_commands_and_for_python(model: CovariateModel) -> None:
    with pytest.raises(
        ValueError, match=r"needs --clinical FILE.csv .* \(in Python, the argument clinical\)"
    ):
        given(model, None)
    with pytest.raises(
        ValueError, match=r"extract: mri_1. Give them with --features .* \(in Python, the argument features\)"
    ):
        given(model, CLINICAL, feature_names=("mri_1",))
