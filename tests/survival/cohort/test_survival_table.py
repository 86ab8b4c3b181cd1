"""The survival table: what it holds once read, and that all its faults are reported together."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nnunetv2_adamss.datasets.phantom import PhantomCohortConfig, write_phantom_dataset
from nnunetv2_adamss.survival.cohort.description import ColumnType
from nnunetv2_adamss.survival.cohort.survival_table import (
    SurvivalTable,
    SurvivalTableError,
    read_survival_table,
)

HEADER = "case_id,time,event"


def write(folder: Path, *lines: str, description: object = None, encoding: str = "utf-8") -> Path:
    file = folder / "survival.csv"
    file.write_bytes("".join(f"{line}\n" for line in lines).encode(encoding))
    if description is not None:
        (folder / "survival.json").write_text(json.dumps(description))
    return file


def read(folder: Path, *lines: str, description: object = None) -> SurvivalTable:
    return read_survival_table(write(folder, *lines, description=description))


def faults(file: Path, known_cases: list[str] | None = None) -> tuple[str, ...]:
    with pytest.raises(SurvivalTableError) as raised:
        read_survival_table(file, known_cases)
    return raised.value.faults


@pytest.mark.parametrize("table", [pd.DataFrame({"case_id": ["a"]}), ["survival.csv"], None])
def test_what_is_no_file_is_refused_in_a_sentence(table: Any) -> None:
    kind = type(table).__name__
    with pytest.raises(ValueError, match=f"'csv_file' must be the path of a CSV file, .*, but is a {kind}"):
        read_survival_table(table)


def test_a_table_is_read_into_outcomes_and_clinical_columns(tmp_path: Path) -> None:
    table = read(
        tmp_path,
        "case_id,age,event,time,sex",
        "001,50,1,10.5,m",
        "002,,0.0,20,",
        "003,61.5,,,f",
        "010,70,1.0,3e1,NA",
    )
    assert table.case_ids == ["001", "002", "003", "010"]
    assert table.outcomes.to_dict("index") == {
        "001": {"time": 10.5, "event": True},
        "002": {"time": 20.0, "event": False},
        "010": {"time": 30.0, "event": True},
    }
    assert table.without_outcome == ["003"]
    assert table.outcomes.index.name == table.clinical.index.name == "case_id"
    assert table.clinical["age"].dtype == np.float64 and math.isnan(table.clinical.loc["002", "age"])
    assert table.clinical["sex"].dropna().to_dict() == {"001": "m", "003": "f"}
    assert table.column_types == {"age": ColumnType("number"), "sex": ColumnType("category")}
    assert table.path == tmp_path / "survival.csv"


def test_outcomes_come_in_the_order_asked(tmp_path: Path) -> None:
    table = read(tmp_path, HEADER, "a,1,1", "b,2,0", "c,3,1", "d,,")
    time, event = table.time_and_event(["c", "a", "b"])
    assert time.tolist() == [3.0, 1.0, 2.0] and event.tolist() == [True, True, False]
    assert time.dtype == np.float64 and event.dtype == np.bool_
    with pytest.raises(SurvivalTableError, match="cases have no outcome: d, x"):
        table.time_and_event(["a", "d", "x"])


def test_a_table_of_outcomes_alone_has_no_clinical_column(tmp_path: Path) -> None:
    table = read(tmp_path, HEADER, "a,1,1", "b,2,0")
    assert table.case_ids == ["a", "b"] and table.clinical.shape == (2, 0) and table.column_types == {}


def test_the_sarcoma_table_is_read(real_data: Path) -> None:
    folder = real_data / "Dataset510_STS"
    known = {path.name.removesuffix("_0000.nii.gz") for path in (folder / "imagesTr").glob("*_0000.nii.gz")}
    table = read_survival_table(folder / "survival.csv", known)
    assert len(table.case_ids) == 28 and table.outcomes["event"].sum() == 13
    assert table.clinical.isna().sum().to_dict() == {"age": 0, "sex": 0, "histology": 0, "grade": 2}
    assert table.time_and_event(["STS_004"])[0].tolist() == [1792.0]
    assert table.description.time_unit == "days" and table.without_outcome == []


def test_the_tables_of_a_phantom_are_read(tmp_path: Path) -> None:
    config = PhantomCohortConfig(
        n_training=6, n_test=4, censoring_fraction=0.0, shape=(32, 32, 32), spacing_mm=(5.0, 5.0, 5.0)
    )
    folder = write_phantom_dataset(config, tmp_path)
    known = [path.name.removesuffix(".nii.gz") for path in (folder / "labelsTr").iterdir()]
    table = read_survival_table(folder / "survival.csv", known)
    assert sorted(table.case_ids) == sorted(known)
    assert table.description.endpoint == "simulated event (synthetic)"
    assert table.column_types == {
        "age": ColumnType("number"), "hpv": ColumnType("category"), "centre": ColumnType("category")
    }  # fmt: skip
    assert set(table.clinical["hpv"].dropna()) <= {"0", "1"}
    assert set(table.groups("centre")) == {"A", "B", "C"}
    assert len(read_survival_table(folder / "survival_test.csv").case_ids) == 4


def test_described_columns_have_the_type_that_is_described(tmp_path: Path) -> None:
    columns = {
        "ecog": "ordinal",
        "stage": {"type": "ordinal", "categories": [1, 2, 3]},
        "hpv": "category",
        "centre": {"type": "category", "categories": ["1", "2"]},
    }
    table = read(
        tmp_path,
        f"{HEADER},ecog,stage,hpv,centre,scanner",
        "a,1,1,0,1.0,1.0,1,7",
        "b,2,0,2,3,0,2,8",
        description={"columns": columns, "group_column": "scanner"},
    )
    assert table.clinical["ecog"].tolist() == [0.0, 2.0]
    # pandas writes integers with gaps as 1.0: one category with 1.
    assert table.clinical["stage"].tolist() == ["1", "3"] and table.clinical["hpv"].tolist() == ["1", "0"]
    assert table.column_types["stage"] == ColumnType("ordinal", ("1", "2", "3"))
    assert table.clinical["scanner"].tolist() == ["7", "8"]


def test_any_column_without_gaps_can_define_groups(tmp_path: Path) -> None:
    table = read(tmp_path, f"{HEADER},scanner,site", "a,1,1,7,x", "b,2,0,8,", "c,2,0,7.5,y")
    assert table.groups("scanner").to_dict() == {"a": "7", "b": "8", "c": "7.5"}
    with pytest.raises(SurvivalTableError, match="group column 'site' is empty: b"):
        table.groups("site")
    with pytest.raises(SurvivalTableError, match="no clinical column 'centre'; .*: scanner, site"):
        table.groups("centre")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_utf8_is_read_with_or_without_a_mark(tmp_path: Path, encoding: str) -> None:
    file = write(tmp_path, f"{HEADER},site", "a,1,1,Zürich", encoding=encoding)
    assert read_survival_table(file).clinical.loc["a", "site"] == "Zürich"


def test_only_line_ends_end_a_row(tmp_path: Path) -> None:
    # str.splitlines would also split at the form feed and the line separator.
    file = tmp_path / "survival.csv"
    file.write_bytes(f"{HEADER},note\r\na,1,1,x\fy\r\nb,2,0,x\u2028y\r\n".encode())
    assert read_survival_table(file).clinical["note"].tolist() == ["x\fy", "x\u2028y"]


def test_blank_rows_and_space_around_cells_do_not_count(tmp_path: Path) -> None:
    table = read(tmp_path, "case_id, time ,event", " a , 1,1", "", ",,", "b,2,0\r")
    assert table.case_ids == ["a", "b"]


def test_row_numbers_are_those_of_a_spreadsheet(tmp_path: Path) -> None:
    file = write(tmp_path, f"{HEADER},note", 'a,1,1,"two', 'lines"', "", "b,-3,0,x")
    # Row 2 holds the two lines, row 3 is blank.
    assert faults(file) == ("column 'time' must be a finite number above 0: row 4 '-3'",)


def test_all_faults_of_both_files_are_reported_together(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        f"{HEADER},age,grade,ecog,centre",
        "a,0,yes,old,Low,1,A",
        "a,inf,1,60,Middle,2,",
        ",12,,61,High,x,B",
        "b,12 days,true,nan,,,B",
        "z,5,0,1_000,High,3,B",
        description={
            "columns": {
                "age": "number",
                "grade": {"type": "ordinal", "categories": ["Low", "High"]},
                "ecog": "ordinal",
                "weight": "number",
            },
            "group_column": "centre",
        },
    )
    assert faults(file, ["a", "b", "c"]) == (
        "column 'case_id' is empty: row 4",
        "column 'case_id' must differ from row to row: row 2 'a', row 3 'a'",
        "column 'case_id' has cases without an image: row 6 'z'",
        "cases with an image have no row: c",
        "column 'time' must be a finite number above 0: row 2 '0', row 3 'inf', row 5 '12 days'",
        "column 'event' must be 0 (censored) or 1 (observed): row 2 'yes', row 5 'true'",
        "columns 'time' and 'event' must both be given or both be empty: row 4 time '12' event ''",
        "survival.json describes columns that are not in the table: 'weight'",
        "column 'age' is described as a number: row 2 'old', row 6 '1_000'",
        "column 'grade' may only be 'Low', 'High': row 3 'Middle'",
        "column 'ecog' is described as ordinal without categories and has values that are no numbers; "
        "list its categories in order in survival.json: row 4 'x'",
        "group column 'centre' is empty: row 3",
    )


def test_one_kind_of_fault_shows_five_examples_and_a_count(tmp_path: Path) -> None:
    file = write(tmp_path, HEADER, *(f"case_{i},{i},2" for i in range(1, 8)))
    (fault,) = faults(file)
    assert fault.endswith("row 2 '2', row 3 '2', row 4 '2', row 5 '2', row 6 '2', ... (7 in all)")


def test_faults_of_the_header_do_not_hide_those_of_the_rows(tmp_path: Path) -> None:
    file = write(tmp_path, "case_id,time,age,age,", "a,-1,1,2,")
    assert faults(file) == (
        "the header (row 1) has no column 'event', only case_id, time, age, age, ",
        "columns occur more than once: 'age'",
        "the header (row 1) has cells without a name: column 5",
        "column 'time' must be a finite number above 0: row 2 '-1'",
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "the file is empty"),
        (" \n\n", "the file is empty"),
        ("case_id,time,event\n", "there is a header but no row below it"),
        ("case_id;time;event\na;1;1\n", "its cells are separated by semicolons, expected commas"),
        ("case_id\ttime\tevent\na\t1\t1\n", "its cells are separated by tabs, expected commas"),
        ("case_id,time,event\na,1\nb,1,1,1\n", "every row must have 3 cells .*: row 2 has 2, row 3 has 4"),
        ('case_id,time,event\na,"1,1\n', "line 2 is not CSV"),
        ("case_id,time,event\na,1,0\nb,,\n", "column 'event' is 0 in all 1 rows with an outcome"),
        ("case_id,time,event\na,,\n", "column 'event' is empty in every row: no case has an outcome"),
    ],
)
def test_a_table_of_the_wrong_shape_is_one_sentence(tmp_path: Path, text: str, fault: str) -> None:
    file = tmp_path / "survival.csv"
    file.write_text(text)
    with pytest.raises(SurvivalTableError, match=fault) as raised:
        read_survival_table(file)
    assert "\n" not in str(raised.value) and str(file) in str(raised.value)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    assert faults(tmp_path / "survival.csv") == ("the file does not exist",)
    assert faults(tmp_path) == ("the file does not exist",)


@pytest.mark.parametrize(("encoding", "byte"), [("latin-1", "0xfc"), ("utf-16", "0xff")])
def test_another_encoding_is_said(tmp_path: Path, encoding: str, byte: str) -> None:
    file = write(tmp_path, f"{HEADER},site", "a,1,1,Zürich", encoding=encoding)
    with pytest.raises(SurvivalTableError, match=f"not in UTF-8 \\(byte {byte} at position .*CSV UTF-8"):
        read_survival_table(file)


def test_faults_of_the_description_come_with_those_of_the_table(tmp_path: Path) -> None:
    file = write(tmp_path, HEADER, "a,0,1", description={"unit": "days"})
    assert faults(file) == (
        "survival.json beside it: 'unit' is not a key; the keys are time_unit, endpoint, columns, group_column, "
        "missing_values",
        "column 'time' must be a finite number above 0: row 2 '0'",
    )


def test_a_group_column_must_be_in_the_table(tmp_path: Path) -> None:
    file = write(tmp_path, HEADER, "a,1,1", description={"group_column": "centre"})
    assert faults(file) == ("the group column 'centre' of survival.json is not in the table",)
