"""The meaning of the text in a cell: missing, or a category. Numbers are read a column at a time (number_cells)."""

import re
from collections.abc import Collection

import pandas as pd

# Missing in every column. Capitals do not matter, here and below.
MISSING_TEXTS = frozenset({"", "na", "n/a", "nan"})
# Missing among numbers alone. In a column of categories they are categories, as models of version 0.1 learnt them.
# Marks of pandas, R, SAS, Stata, databases and spreadsheets.
MISSING_MARKS = frozenset(
    {"#n/a", "#n/a n/a", "#na", "<na>", "-nan", "null", "n.a.", "n.a", "."}
    | {"..", "...", "-", "--", "---", "\u2013", "\u2014", "?", "??", "???"}
)
# Written by hand. Not "none", "nil" or "no", which may mean 0, nor what spreadsheets write for a formula that failed.
MISSING_WORDS = frozenset(
    {"unknown", "unk", "missing", "not available", "not known", "not recorded", "not reported"}
)
_MISSING_NUMBERS = MISSING_TEXTS | MISSING_MARKS | MISSING_WORDS
_WHOLE_NUMBER_WITH_POINT = re.compile(r"([+-]?\d+)\.0+", re.ASCII)


def is_missing(cells: pd.Series, declared: Collection[str] = ()) -> pd.Series:
    """Find cells without a value in a column of any type, given as text; boolean.

    Args:
        cells: text.
        declared: further codes, as ``survival.json`` lists them under ``missing_values``.
    """
    return cells.str.casefold().isin(MISSING_TEXTS) | _is_declared(cells, declared)


def is_missing_number(cells: pd.Series, declared: Collection[str] = ()) -> pd.Series:
    """Find cells without a value in a column of numbers, given as text; boolean.

    Args:
        cells: text.
        declared: as above.
    """
    return cells.str.casefold().isin(_MISSING_NUMBERS) | _is_declared(cells, declared)


def category_text(text: str) -> str:
    """A category in the form in which categories are compared.

    pandas writes the integers of a column with gaps as 1.0: the same category as 1 elsewhere.
    """
    match = _WHOLE_NUMBER_WITH_POINT.fullmatch(text)
    return match[1] if match else text


def code_key(text: str) -> str:
    """A code for missing values in the form in which codes are compared: -9 is -9.0, capitals do not matter."""
    return category_text(text).casefold()


def _is_declared(cells: pd.Series, declared: Collection[str]) -> pd.Series:
    if not declared:
        return pd.Series(False, index=cells.index)
    return cells.map(code_key).isin(set(map(code_key, declared)))
