"""``survival.json``: what is read from it, and that all its faults are reported together."""

import json
from pathlib import Path
from typing import Any

import pytest

from nnunetv2_adamss.survival.cohort.description import (
    ColumnType,
    SurvivalDescription,
    SurvivalDescriptionError,
    read_survival_description,
)


def read(folder: Path, content: Any) -> SurvivalDescription:
    file = folder / "survival.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return read_survival_description(file)


def test_a_full_description_is_read(tmp_path: Path) -> None:
    content = {
        "time_unit": "months",
        "endpoint": "overall survival",
        "columns": {
            "age": "number",
            "ecog": "ordinal",
            "grade": {"type": "ordinal", "categories": ["Low", "High"]},
            "hpv": {"type": "category", "categories": [0, 1.0]},
        },
        "group_column": "centre",
    }
    assert read(tmp_path, content) == SurvivalDescription(
        time_unit="months",
        endpoint="overall survival",
        columns={
            "age": ColumnType("number"),
            "ecog": ColumnType("ordinal"),
            "grade": ColumnType("ordinal", ("Low", "High")),
            "hpv": ColumnType("category", ("0", "1")),
        },
        group_column="centre",
    )


def test_a_table_without_a_description_has_the_defaults(tmp_path: Path) -> None:
    assert SurvivalDescription.beside(tmp_path / "survival.csv") == SurvivalDescription(
        "days", None, {}, None
    )


def test_only_an_ordinal_column_with_categories_is_kept_as_text() -> None:
    kinds = {kind: ColumnType(kind).is_numeric for kind in ("number", "ordinal", "category")}
    assert kinds == {"number": True, "ordinal": True, "category": False}
    assert not ColumnType("ordinal", ("Low", "High")).is_numeric


def test_all_faults_are_reported_together(tmp_path: Path) -> None:
    content = {
        "unit": "days",
        "time_unit": "fortnights",
        "endpoint": 3,
        "group_column": "event",
        "columns": {
            "time": "number",
            "age": "float",
            "weight": {"type": "number", "categories": [1, 2]},
            "grade": {"type": "ordinal", "categories": ["Low", "Low"], "levels": 2},
            "stage": {"type": "ordinal", "categories": []},
            "hpv": {"type": "category", "categories": ["1", 1.0, "NA"]},
        },
    }
    with pytest.raises(SurvivalDescriptionError) as raised:
        read(tmp_path, content)
    assert raised.value.faults == (
        "'unit' is not a key; the keys are time_unit, endpoint, columns, group_column, missing_values",
        "columns describes 'time', whose type is fixed",
        "column 'age' is of type 'float', expected one of number, ordinal, category",
        "column 'weight' is a number and has no categories; make it ordinal or category",
        "column 'grade' has the key 'levels', expected type, categories, missing_values",
        "column 'grade' has the category 'Low' twice",
        "the categories of column 'stage' are [], expected a list of texts or numbers",
        "column 'hpv' has the category '1' twice",
        "column 'hpv' has the category 'NA', which means a missing value",
        "time_unit is 'fortnights', expected one of days, weeks, months, years",
        "endpoint is 3, expected text",
        "group_column is 'event', expected a column beside case_id, time, event",
    )
    assert str(raised.value).startswith(f"{tmp_path / 'survival.json'} has 12 faults:\n- 'unit' is not a key")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"columns": {"age": "number", "age": "category"}}', "'age' occurs twice"),
        ("{", "it is not JSON"),
        ("[]", "it is not an object"),
        ({"columns": ["age"]}, "columns is \\['age'\\], expected an object"),
        ({"columns": {"age": None}}, "column 'age' is of type None"),
        ({"columns": {"age": ["number"]}}, r"column 'age' is of type \['number'\]"),
        (
            {"columns": {"hpv": {"type": "category", "categories": [True]}}},
            "expected a list of texts or numbers",
        ),
        ({"time_unit": ["days"]}, r"time_unit is \['days'\]"),
        ({"columns": {"age": "number"}, "group_column": "age"}, "'age' is described as a number"),
    ],
)
def test_a_single_fault_is_one_sentence(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(SurvivalDescriptionError, match=message) as raised:
        read(tmp_path, content)
    assert "\n" not in str(raised.value)


def test_another_encoding_is_said(tmp_path: Path) -> None:
    (tmp_path / "survival.json").write_bytes('{"endpoint": "Überleben"}'.encode("latin-1"))
    with pytest.raises(SurvivalDescriptionError, match="not text in UTF-8"):
        SurvivalDescription.beside(tmp_path / "survival.csv")


def test_codes_for_missing_values_are_of_all_columns_or_of_one(tmp_path: Path) -> None:
    content = {
        "missing_values": [-9, "not recorded "],
        "columns": {"age": {"type": "number", "missing_values": [999]}, "hpv": "category"},
    }
    description = read(tmp_path, content)
    assert description.missing_codes("age") == ("-9", "not recorded", "999")
    assert description.missing_codes("hpv") == description.missing_codes("other") == ("-9", "not recorded")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"missing_values": "NA"}, "missing_values is 'NA', expected a list of texts or numbers"),
        ({"missing_values": [None]}, r"missing_values is \[None\], expected a list"),
        (
            {"columns": {"age": {"type": "number", "missing_values": {}}}},
            r"missing_values of column 'age' is \{\}, expected a list",
        ),
        (
            {"missing_values": ["-9.0"], "columns": {"hpv": {"type": "category", "categories": [1, -9]}}},
            "column 'hpv' has the category '-9', which means a missing value",
        ),
        ('{"missing_values": [' + "9" * 5000 + "]}", "it is not JSON .*has 5000 digits"),
        ({"time_unit": "d" * 5000}, r"time_unit is 'd{19}\.\.\. \(5002 characters\), expected"),
    ],
)
def test_a_wrong_code_or_a_long_value_is_one_short_sentence(
    tmp_path: Path, content: Any, message: str
) -> None:
    with pytest.raises(SurvivalDescriptionError, match=message) as raised:
        read(tmp_path, content)
    assert len(raised.value.faults) == 1 and len(raised.value.faults[0]) < 250
