"""Tables of the user's own features: numbers by case, all faults reported together, several joined."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nnunetv2_adamss.common.tables.faults import FileFaultsError
from nnunetv2_adamss.survival.covariates.number_table import (
    join_number_tables,
    read_number_table,
)


def write(folder: Path, text: str) -> Path:
    file = folder / "features.csv"
    file.write_text(text)
    return file


def test_numbers_are_read_by_case_and_gaps_are_missing(tmp_path: Path) -> None:
    table = read_number_table(write(tmp_path, "x,case_id,y\n1,001,2e3\n,002,NaN\n-inf,003,inf\n"))
    assert list(table.index) == ["001", "002", "003"]
    np.testing.assert_array_equal(table["x"], [1, np.nan, np.nan])
    np.testing.assert_array_equal(table["y"], [2000, np.nan, np.nan])
    assert (table.dtypes == np.float64).all()


def test_codes_and_decimal_commas_are_read(tmp_path: Path) -> None:
    table = read_number_table(write(tmp_path, 'case_id,x,y\na,"0,5",1\nb,unknown,.\nc,"1,125",#N/A\n'))
    np.testing.assert_array_equal(table, [[0.5, 1], [np.nan, np.nan], [1.125, np.nan]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,x\na,1\n", "no column 'case_id', only id, x"),
        ("case_id,x\na,1\na,2\n", "must differ from row to row: row 2 'a', row 3 'a'"),
        ("case_id,x\na,one\nb,2\n", "column 'x' must hold numbers: row 2 'one'"),
        ('case_id,x\na,"1,234"\nb,2.5\n', "may be decimal or thousands.*: row 2 '1,234'"),
        (f"case_id,x\na,{'9' * 5000}\n", r"must hold numbers: row 2 '9{20}\.\.\.' \(5000 characters\)"),
        ("case_id\na\n", "no feature"),
        ("case_id,x,x\na,1,2\n", "more than once: 'x'"),
        ("case_id,x\n,1\n", "'case_id' is empty: row 2"),
        ("case_id;x\na;1\n", "semicolons"),
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(FileFaultsError, match=message):
        read_number_table(write(tmp_path, text))


def test_all_faults_are_reported_together(tmp_path: Path) -> None:
    with pytest.raises(FileFaultsError) as raised:
        read_number_table(write(tmp_path, "case_id,x,y\na,1,two\na,one,2\n"))
    assert len(raised.value.faults) == 3


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileFaultsError, match="nowhere.csv: the file does not exist"):
        read_number_table(tmp_path / "nowhere.csv")


def test_tables_are_joined_by_case_and_no_column_may_be_in_two() -> None:
    one = pd.DataFrame({"x": [1.0, 2.0]}, index=["a", "b"])
    two = pd.DataFrame({"y": [3.0, 4.0, 5.0]}, index=["b", "a", "c"])
    joined = join_number_tables({"one": one, "two": two})
    assert joined is not None
    assert joined.loc["a"].to_dict() == {"x": 1.0, "y": 4.0}
    assert "c" not in joined.index
    with pytest.raises(ValueError, match=r"must differ between the tables: x \(one, two\)"):
        join_number_tables({"one": one, "two": one})
    assert join_number_tables({}) is None
