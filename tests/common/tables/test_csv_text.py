"""Tables of ours: formulas stay text in a spreadsheet program, and come back as they were."""

import csv
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnunetv2_adamss.common.tables.csv_cells import read_cells
from nnunetv2_adamss.common.tables.csv_text import csv_text, read_csv
from nnunetv2_adamss.trained_folds.predicted_curves import read_predicted_curves
from nnunetv2_adamss.trained_folds.prediction import SurvivalPrediction

FORMULAS = [
    "=1+1",
    '=HYPERLINK("http://x.y")',
    "@SUM(A1)",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "\tx",
    "\r=1",
    "'=1",
    "''@x",
]
NO_FORMULAS = ["", "-", "+", "=", "T1", "-5", "+0.5", "-1e-3", "-1,5", "-inf", "'", "'T1", "'-5", "it's"]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_gets_an_apostrophe(text: str) -> None:
    table = pd.DataFrame({text: [text]}, index=pd.Index([text], name="case_id"))
    rows = list(csv.reader(io.StringIO(csv_text(table), newline="")))
    assert rows == [["case_id", f"'{text}"], [f"'{text}", f"'{text}"]]


@pytest.mark.parametrize("text", NO_FORMULAS)
def test_numbers_signs_and_other_text_are_written_as_they_are(text: str) -> None:
    table = pd.DataFrame({"x": [text]})
    assert csv_text(table, index=False) == table.to_csv(index=False)


def test_a_table_without_formulas_is_what_pandas_writes() -> None:
    table = pd.DataFrame(
        {"n": [1, -2], "x": [-0.5, np.nan], "t": ["a", None], "mixed": pd.Series([1, None], dtype=object)}
    )
    assert csv_text(table, float_format="%.6g") == table.to_csv(float_format="%.6g")
    assert csv_text(pd.DataFrame({"case_id": []}), index=False) == "case_id\n"


@given(st.lists(st.text(alphabet="'=@+-\t\r1.a ,\"\n", max_size=6), min_size=1, max_size=5))
def test_any_text_comes_back(texts: list[str]) -> None:
    written = csv_text(pd.DataFrame({"key": "k", "x": texts}), index=False)
    options = {"dtype": str, "keep_default_na": False}
    assert read_csv(io.StringIO(written), **options)["x"].tolist() == texts  # type: ignore[arg-type]


def test_a_case_named_like_a_formula_keeps_its_name(tmp_path: Path) -> None:
    case_ids, file = ["-T01", "=x", "+7-2", "@a", "007"], tmp_path / "predictions.csv"
    SurvivalPrediction(case_ids, np.full((5, 2), 0.5), np.array([0.0, 1.0, 2.0])).write(file)
    assert file.read_text().splitlines()[1].startswith("'-T01,")
    assert read_cells(file)["case_id"].tolist() == case_ids
    assert read_predicted_curves(file).case_ids == case_ids
    assert read_csv(file, index_col="case_id", dtype={"case_id": str}).index.tolist() == case_ids
    assert read_csv(file, dtype={"case_id": str})["risk_score"].dtype == np.float64
