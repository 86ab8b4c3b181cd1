"""Clinical columns as numbers: what was declared, missing values, rare categories, centres, new categories."""

import numpy as np
import pandas as pd
import pytest

from nnunetv2_adamss.survival.cohort.description import ColumnType
from nnunetv2_adamss.survival.covariates.clinical_encoding import fit_indicators
from nnunetv2_adamss.survival.covariates.indicator import Indicator

NUMBER, CATEGORY = ColumnType("number"), ColumnType("category")
GRADE = ColumnType("ordinal", ("Low", "Intermediate", "High"))


def column(*values: object) -> pd.Series:
    return pd.Series(values, index=[f"case_{i:03d}" for i in range(len(values))], name="x")


def fit(
    values: pd.Series, column_type: ColumnType, groups: list[str] | None = None
) -> tuple[Indicator | None, str]:
    centres = None if groups is None else pd.Series(groups, index=values.index)
    indicators, notes = fit_indicators(values.to_frame(), {"x": column_type}, centres)
    return (indicators[0] if indicators else None), " ".join(notes)


def encoded(values: pd.Series, column_type: ColumnType) -> dict[str, list[float]]:
    indicator, _ = fit(values, column_type)
    assert indicator is not None
    return {str(name): list(v) for name, v in indicator.encode(values).round(6).items()}


def test_a_number_is_z_scored_and_a_gap_gets_the_median() -> None:
    values = column(1.0, 2.0, 9.0, np.nan)
    indicator, notes = fit(values, NUMBER)
    assert indicator is not None
    # Mean 4 and standard deviation sqrt(38 / 3) of the three that are known; their median is 2.
    expected = (np.array([1, 2, 9, 2]) - 4) / np.sqrt(38 / 3)
    np.testing.assert_allclose(indicator.encode(values)["x"], expected)
    assert notes == "'x' is missing in 1 of 4 training cases: the median, 2."


def test_an_ordinal_column_is_the_place_of_its_category() -> None:
    values = column("High", "Low", "Intermediate", np.nan)
    assert encoded(values, GRADE)["x"] == pytest.approx([1.5**0.5, -(1.5**0.5), 0, 0], abs=1e-6)
    assert encoded(column(4.0, 2.0, 3.0), ColumnType("ordinal"))["x"][0] == pytest.approx(1.5**0.5)


def test_a_category_is_one_column_for_each_level_but_the_most_frequent() -> None:
    values = column(*"bbbbbbb", *"aaaaaa", *"ccccc")
    assert encoded(values, CATEGORY) == {"x=a": [0] * 7 + [1] * 6 + [0] * 5, "x=c": [0] * 13 + [1] * 5}


def test_rare_categories_are_merged() -> None:
    indicator, notes = fit(column(*"aaaaaaa", *"bbbbbb", *"ccc", *"dd"), CATEGORY)
    assert indicator is not None
    assert indicator.columns == ["x=b", "x=(rare)"]
    assert indicator.encode(column("c", "d", "b")).to_numpy().tolist() == [[0, 1], [0, 1], [1, 0]]
    assert "rare categories, which count as one category: c, d" in notes


def test_too_few_rare_ones_count_as_the_most_frequent_category() -> None:
    indicator, notes = fit(column(*"aaaaaaa", *"bbbbbb", "c"), CATEGORY)
    assert indicator is not None
    assert indicator.columns == ["x=b"]
    assert indicator.encode(column("c", "a")).to_numpy().tolist() == [[0], [0]]
    assert "count as the most frequent one, a: c" in notes


def test_not_known_is_a_category_of_its_own_where_it_is_frequent() -> None:
    known = [*"aaaaaaa", *"bbbbbb"]
    indicator, notes = fit(column(*known, *[np.nan] * 5), CATEGORY)
    assert indicator is not None
    assert indicator.columns == ["x=b", "x=(unknown)"]
    assert "5 of 18 training cases: a category of its own" in notes
    indicator, notes = fit(column(*known, *[np.nan] * 4), CATEGORY)
    assert indicator is not None
    assert indicator.columns == ["x=b"]
    assert "4 of 17 training cases: the most frequent one, a" in notes


def test_missingness_that_goes_with_the_centre_is_imputed_with_a_warning() -> None:
    values = column(*"aaaaaaaaaa", *"bbbbbbbb", *[np.nan] * 12)
    at_one_centre = ["A"] * 18 + ["B"] * 12
    indicator, notes = fit(values, CATEGORY, at_one_centre)
    assert indicator is not None
    assert indicator.columns == ["x=b"]
    assert "known goes with the centre" in notes
    at_all_centres = ["A", "B"] * 15
    indicator, notes = fit(values, CATEGORY, at_all_centres)
    assert indicator is not None
    assert indicator.columns == ["x=b", "x=(unknown)"]
    assert "centre" not in notes
    indicator, notes = fit(column(*np.arange(18.0), *[np.nan] * 12), NUMBER, at_one_centre)
    assert "known goes with the centre" in notes


@pytest.mark.parametrize(
    ("values", "column_type"),
    [
        (column(0.1, 0.1, 0.1, np.nan), NUMBER),
        (column(*"aaaa", "b"), CATEGORY),
        (column(*"abcdef"), CATEGORY),
        (column("High", "High"), GRADE),
    ],
)
def test_a_column_with_one_value_is_left_out_and_said(values: pd.Series, column_type: ColumnType) -> None:
    indicator, notes = fit(values, column_type)
    assert indicator is None
    assert "'x' has one value in the training cases" in notes


def test_a_column_without_a_value_is_left_out_and_said() -> None:
    indicator, notes = fit(column(np.nan, np.nan), NUMBER)
    assert indicator is None
    assert "'x' has no value" in notes


def test_a_category_that_training_did_not_have_counts_as_rare_or_else_as_missing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with_rare, _ = fit(column(*"aaaaaaa", *"bbbbbb", *"ccc", *"dd"), CATEGORY)
    with_unknown, _ = fit(column(*"aaaaaaa", *"bbbbbb", *[np.nan] * 5), CATEGORY)
    with_neither, _ = fit(column(*"aaaaaaa", *"bbbbbb"), CATEGORY)
    ordinal, _ = fit(column("High", "Low", "Intermediate"), GRADE)
    assert with_rare and with_unknown and with_neither and ordinal
    assert with_rare.encode(column("new")).to_numpy().tolist() == [[0, 1]]
    assert "had no 'x' of 'new'; it counts as rare" in caplog.text
    assert with_unknown.encode(column("new")).to_numpy().tolist() == [[0, 1]]
    assert with_neither.encode(column("new")).to_numpy().tolist() == [[0]]
    assert ordinal.encode(column("Highest")).to_numpy().tolist() == [[0]]
    assert caplog.text.count("it counts as a missing value") == 3


def test_a_category_is_the_same_whether_a_table_reads_it_as_text_or_number() -> None:
    indicator, _ = fit(column(*["1"] * 7, *["2"] * 6), CATEGORY)
    assert indicator is not None
    assert indicator.encode(column(2.0, "2", "2.0", 2)).to_numpy().tolist() == [[1]] * 4


def test_text_among_numbers_is_named() -> None:
    indicator, _ = fit(column(1.0, 2.0), NUMBER)
    assert indicator is not None
    np.testing.assert_allclose(indicator.encode(column("1", "NA", "2"))["x"], [-1, 0, 1])
    with pytest.raises(ValueError, match="Clinical column 'x' holds numbers, but also old"):
        indicator.encode(column("1", "old"))


def test_an_indicator_survives_a_round_trip_as_plain_data() -> None:
    for values, column_type in ((column(*"aaaaaaa", *"bbbbbb", "c"), CATEGORY), (column(1.0, 2.0), NUMBER)):
        indicator, _ = fit(values, column_type)
        assert indicator is not None
        assert Indicator.from_dict(indicator.to_dict()) == indicator
