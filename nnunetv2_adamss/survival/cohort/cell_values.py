"""What the text in a cell means: missing, a number, or a category."""

import math
import re

import pandas as pd

# What pandas, R and spreadsheets write where nothing was known. Capitals do not matter.
MISSING_TEXTS = frozenset({"", "na", "n/a", "nan"})
# Narrower than float(), which also takes "1_000", "infinity" and digits of other scripts.
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_WHOLE_NUMBER_WITH_POINT = re.compile(r"([+-]?\d+)\.0+", re.ASCII)


def is_missing(cells: pd.Series) -> pd.Series:
    """Where a column of text has no value; boolean."""
    return cells.str.casefold().isin(MISSING_TEXTS)


def as_numbers(cells: pd.Series) -> pd.Series:
    """A column of text as float64; NaN where it is not a finite number."""
    return cells.map(_number).astype("float64")


def category_text(text: str) -> str:
    """A category in the form in which categories are compared.

    pandas writes the integers of a column with gaps as 1.0: the same category as 1 elsewhere.
    """
    match = _WHOLE_NUMBER_WITH_POINT.fullmatch(text)
    return match[1] if match else text


def _number(text: str) -> float:
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    return value if math.isfinite(value) else math.nan
