"""Cells of number columns: codes for missing values, decimal commas, and what may be thousands."""

import logging

import numpy as np
import pandas as pd
import pytest

from nnunetv2_adamss.common.tables.cell_faults import number_faults
from nnunetv2_adamss.common.tables.cell_values import is_missing, is_missing_number
from nnunetv2_adamss.common.tables.number_cells import (
    NumberCells,
    as_numbers,
    read_numbers,
    reads_as_number,
)


def column(*cells: str) -> pd.Series:
    return pd.Series(list(cells), dtype=object, name="x")


def test_codes_are_missing_among_numbers_and_most_are_categories_elsewhere() -> None:
    everywhere = column("", "NA", "n/a", "NaN")
    among_numbers = column(
        ".", "#N/A", "NULL", "-", "--", "?", "Unknown", "<NA>", "n.a.", "not recorded", "\u2013"
    )
    assert is_missing(everywhere).all() and is_missing_number(everywhere).all()
    assert is_missing_number(among_numbers).all() and not is_missing(among_numbers).any()


@pytest.mark.parametrize("word", ["none", "nil", "no", "0", "not done", "#VALUE!", "#DIV/0!", "x"])
def test_a_word_that_may_have_a_meaning_is_not_a_missing_value(word: str) -> None:
    assert not is_missing_number(column(word)).any()


def test_declared_codes_are_missing_in_every_spelling_of_the_number() -> None:
    cells = column("-9", "-9.0", "999", "99", "Refused", "refused later")
    expected = [True, True, True, False, True, False]
    declared = ("-9.0", "999", "REFUSED")
    assert is_missing(cells, declared).tolist() == is_missing_number(cells, declared).tolist() == expected


def test_decimal_commas_are_numbers_and_said(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        numbers = read_numbers(column("63,5", "-0,25", ",5", "1234,567", "1,5e2", "70", "unknown"))
    np.testing.assert_array_equal(numbers, [63.5, -0.25, 0.5, 1234.567, 150, 70, np.nan])
    assert caplog.messages == [
        "Decimal commas are read in column 'x': 0 '63,5', 1 '-0,25', 2 ',5', 3 '1234,567', 4 '1,5e2'."
    ]


def test_decimal_points_need_no_word(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        np.testing.assert_array_equal(read_numbers(column("63.5", "1.234", "")), [63.5, 1.234, np.nan])
    assert not caplog.messages


def test_what_may_be_thousands_is_read_as_the_other_cells_are_written() -> None:
    np.testing.assert_array_equal(as_numbers(column("1,234", "2,5", "3")), [1.234, 2.5, 3])


@pytest.mark.parametrize(
    ("cells", "unclear"),
    [
        (["1,234", "5"], ["1,234"]),  # nothing to go by
        (["1,234", "2.5", "3"], ["1,234"]),  # points are the decimals elsewhere
        (["1,234", "2.5", "3,5"], ["1,234"]),  # both
        (["1.234", "3,5"], ["1.234"]),  # commas are the decimals elsewhere
        (["1.234", "2.25", "3,5"], []),  # points are decimal too
        (["0,234", "1234,567", "5"], []),
    ],
)
def test_a_possible_thousands_separator_is_refused_where_it_is_unclear(
    cells: list[str], unclear: list[str]
) -> None:
    numbers = NumberCells.of(column(*cells))
    assert numbers.cells[numbers.unclear].tolist() == unclear
    assert numbers.values[numbers.unclear].isna().all() and numbers.values[~numbers.unclear].notna().all()
    faults = number_faults(column(*cells))
    assert len(faults) == bool(unclear)
    assert all("may be decimal or thousands" in fault and f"'{unclear[0]}'" in fault for fault in faults)


@pytest.mark.parametrize("text", ["1,234.5", "1.234,5", "1,234,567", "5,", ",", "1_000", "1,2,3", "\u0661,5"])
def test_other_text_with_commas_is_not_a_number(text: str) -> None:
    assert NumberCells.of(column(text)).is_text.all() and not reads_as_number(text)


def test_a_number_of_five_thousand_digits_is_shortened() -> None:
    assert number_faults(column("1", "2" * 5000)) == [
        "column 'x' must hold numbers: row 1 '22222222222222222222...' (5000 characters)"
    ]
