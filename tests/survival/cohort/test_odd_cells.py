"""One odd cell in a column: what the survival table makes of it, and which cells it names."""

import json
import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter

from nnunetv2_adamss.survival.cohort.description import ColumnType
from nnunetv2_adamss.survival.cohort.survival_table import (
    SurvivalTable,
    SurvivalTableError,
    read_survival_table,
)
from nnunetv2_adamss.survival.covariates.clinical_encoding import fit_indicators
from nnunetv2_adamss.survival.covariates.screening import screen_indicators

AGES = ["61", "62.5", "63", "64", "65", "66", "67", "68"]


def read(folder: Path, column: list[str], description: object = None) -> SurvivalTable:
    rows = [f'c{number},{number + 1},{number % 2},"{cell}"\n' for number, cell in enumerate(column)]
    (folder / "survival.csv").write_text("".join(["case_id,time,event,x\n", *rows]))
    if description is not None:
        (folder / "survival.json").write_text(json.dumps(description))
    return read_survival_table(folder / "survival.csv")


def fault(folder: Path, column: list[str], description: object = None) -> str:
    with pytest.raises(SurvivalTableError) as raised:
        read(folder, column, description)
    (only,) = raised.value.faults
    return only


def simulated(n_patients: int) -> pd.DataFrame:
    """Outcomes in which age matters."""
    random = np.random.default_rng(15)
    age = random.integers(45, 80, n_patients)
    time = random.exponential(1000 * np.exp(-0.05 * (age - 60)))
    censoring = random.uniform(200, 2000, n_patients)
    return pd.DataFrame(
        {
            "time": np.minimum(time, censoring).round(1) + 0.1,
            "event": (time < censoring).astype(int),
            "age": age,
        }
    )


def univariate_p(table: SurvivalTable) -> dict[str, float]:
    """P of each column alone, by the likelihood-ratio test of the screening."""
    indicators, _ = fit_indicators(table.clinical, table.column_types)
    time, event = table.time_and_event(table.case_ids)
    screened = screen_indicators(indicators, table.clinical, event, time, keep_all=True)
    return {one.indicator.name: one.fit.likelihood_ratio_p for one in screened}


@pytest.mark.parametrize("code", ["unknown", ".", "#N/A", "NULL", "-"])
def test_one_code_among_three_hundred_ages_leaves_age_a_number(tmp_path: Path, code: str) -> None:
    cohort = simulated(300)
    cells = cohort.astype(object)
    cells.loc[17, "age"] = code
    cells.to_csv(tmp_path / "survival.csv", index_label="case_id")
    table = read_survival_table(tmp_path / "survival.csv")
    assert table.column_types == {"age": ColumnType("number")}
    assert table.clinical["age"].isna().to_numpy().nonzero()[0].tolist() == [17]
    # The patient is imputed with the median, which lifelines is given too.
    cohort["age"] = cohort["age"].astype(float)
    cohort.loc[17, "age"] = cohort["age"].drop(17).median()
    lifelines = CoxPHFitter().fit(cohort, "time", "event")
    assert univariate_p(table)["age"] == pytest.approx(
        lifelines.log_likelihood_ratio_test().p_value, rel=0.05
    )
    assert univariate_p(table)["age"] < 1e-6


def test_the_shared_cases_are_read(real_data: Path, tmp_path: Path) -> None:
    folder = real_data.parent / "cases" / "missing_codes"
    if not folder.is_dir():
        pytest.skip(f"the small inputs are not at {folder}")
    for name, expected in (("300_clean", 3e-9), ("300_one_unknown", 4e-9)):
        (tmp_path / "survival.csv").write_bytes((folder / f"{name}.csv").read_bytes())
        table = read_survival_table(tmp_path / "survival.csv")
        assert univariate_p(table)["age"] == pytest.approx(expected, rel=0.2)
        known = table.clinical.join(table.outcomes).dropna().astype(float)
        p_value = CoxPHFitter().fit(known, "time", "event").log_likelihood_ratio_test().p_value
        assert p_value == pytest.approx(expected, rel=0.2)
    for file in (folder / "survival.csv", folder / "described" / "survival.csv"):
        table = read_survival_table(file)
        kinds = {name: kind.kind for name, kind in table.column_types.items()}
        assert kinds == {
            "age": "number", "hpv": "number", "centre": "category", "weight": "number", "suv_liver": "number",
            "smoker": "category",
        }  # fmt: skip
        assert table.clinical["age"].isna().sum() >= 2 and table.clinical["weight"].isna().sum() == 2
        assert set(table.clinical["smoker"]) == {"yes", "no", "unknown"}


def test_other_text_among_numbers_is_named_with_its_row(tmp_path: Path) -> None:
    assert fault(tmp_path, [*AGES, "about 70", "none"]) == (
        "column 'x' holds numbers in 8 of 10 cells, and no finite numbers in the others; correct these, list them "
        "under 'missing_values' in survival.json if nothing is known there, or describe the column there as category: "
        "row 10 'about 70', row 11 'none'"
    )


@pytest.mark.parametrize(
    "way_out",
    [
        {"missing_values": ["ABOUT 70"]},
        {"columns": {"x": {"type": "number", "missing_values": ["about 70"]}}},
    ],
)
def test_text_that_is_declared_missing_is_missing(tmp_path: Path, way_out: object) -> None:
    table = read(tmp_path, [*AGES, "about 70"], way_out)
    assert table.column_types["x"].kind == "number" and table.clinical["x"].isna().sum() == 1


def test_a_column_that_is_described_as_category_stays_one(tmp_path: Path) -> None:
    table = read(tmp_path, [*AGES, "about 70", "unknown"], {"columns": {"x": "category"}})
    assert table.column_types["x"].kind == "category"
    assert table.clinical["x"].tolist() == [*AGES, "about 70", "unknown"]


def test_declared_numbers_are_missing_in_their_columns_alone(tmp_path: Path) -> None:
    (tmp_path / "survival.csv").write_text("case_id,time,event,a,b\nc,999,1,999,-9.0\nd,2,0,5,999\n")
    content = {"missing_values": [-9], "columns": {"a": {"type": "number", "missing_values": ["999"]}}}
    (tmp_path / "survival.json").write_text(json.dumps(content))
    table = read_survival_table(tmp_path / "survival.csv")
    np.testing.assert_array_equal(table.clinical, [[np.nan, np.nan], [5, 999]])
    assert table.outcomes["time"].tolist() == [999.0, 2.0]
    assert table.column_types["a"] == ColumnType("number", (), ("-9", "999"))


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "2", "4a", "3", "4b", "4", "1"], "category"),  # T stages
        (["0", "1", "unknown", "0", ""], "category"),  # as models of version 0.1 learnt it
        (["0", "1", ".", "0", ""], "number"),
        (["none", "unknown", "light", "heavy"], "category"),
        (["unknown", "unknown", "", "NA"], "category"),
        (["", "NA", "", ""], "number"),
        ([*AGES[:6], *"abcdefg"], "category"),  # fewer than half are numbers
        ([*AGES, "unknown", "unknown"], "number"),
        (["1", "2", "1,2,3", "2", "1", "1"], "category"),
    ],
)
def test_the_type_of_a_column_follows_from_its_cells(tmp_path: Path, cells: list[str], kind: str) -> None:
    assert read(tmp_path, cells).column_types["x"].kind == kind


def test_decimal_commas_are_read_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        table = read(tmp_path, [age.replace(".", ",") for age in AGES])
    assert table.clinical["x"].tolist() == [float(age) for age in AGES]
    assert caplog.messages == ["Decimal commas are read in column 'x': c1 '62,5'."]


def test_commas_of_thousands_and_lists_are_refused(tmp_path: Path) -> None:
    assert "may be decimal or thousands, such as 1,234; write them" in fault(
        tmp_path, ["1,234", "2,500", *AGES]
    )
    assert fault(tmp_path, ["1", "2", "1,2", "2,3"]) == (
        "column 'x' may hold numbers with decimal commas or lists of numbers; describe it in survival.json as number "
        "or as category: row 4 '1,2', row 5 '2,3'"
    )
    described = read(tmp_path, ["1", "2", "1,2", "2,3"], {"columns": {"x": "number"}})
    assert described.clinical["x"].tolist() == [1, 2, 1.2, 2.3]


def test_a_number_of_five_thousand_digits_is_one_short_sentence(tmp_path: Path) -> None:
    long = "7" * 5000
    for description in (None, {"columns": {"x": "number"}}, {"missing_values": ["none"]}):
        said = fault(tmp_path, [*AGES, long], description)
        assert said.endswith("row 10 '77777777777777777777...' (5000 characters)") and len(said) < 400
    (tmp_path / "survival.csv").write_text(f"case_id,time,event\na,{long},1\nb,1,{long}\n{long},2,\n")
    (tmp_path / "survival.json").unlink()
    with pytest.raises(SurvivalTableError) as raised:
        read_survival_table(tmp_path / "survival.csv", ["a", "b"])
    assert len(raised.value.faults) == 4 and len(str(raised.value)) < 800


def test_an_outcome_that_a_code_says_is_unknown_is_none(tmp_path: Path) -> None:
    (tmp_path / "survival.csv").write_text("case_id,time,event\na,1,1\nb,.,unknown\nc,-,-\n")
    assert read_survival_table(tmp_path / "survival.csv").without_outcome == ["b", "c"]
    (tmp_path / "survival.csv").write_text("case_id,time,event\na,1,1\nb,5,unknown\n")
    with pytest.raises(
        SurvivalTableError, match="both be given or both be empty: row 3 time '5' event 'unknown'"
    ):
        read_survival_table(tmp_path / "survival.csv")
