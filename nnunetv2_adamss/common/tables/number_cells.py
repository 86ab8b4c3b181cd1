"""Read a column of text as numbers: decimal points, decimal commas, and cells that may be thousands."""

import logging
import math
import re
from collections.abc import Collection
from dataclasses import dataclass

import pandas as pd

from nnunetv2_adamss.common.messages import listed, quoted
from nnunetv2_adamss.common.tables.cell_values import is_missing_number

logger = logging.getLogger(__name__)

# Narrower than float(), which also takes "1_000", "infinity" and digits of other scripts.
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_WITH_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?", re.ASCII)
# 1,234 is 1.234 in Germany and 1234 in England; 0,234 and 1234,567 can only be decimal.
_MAYBE_THOUSANDS = {mark: re.compile(rf"[+-]?[1-9]\d{{0,2}}[{mark}]\d{{3}}", re.ASCII) for mark in ",."}
_TWO_DIGITS = re.compile(r"\d,\d", re.ASCII)


@dataclass(frozen=True, eq=False)
class NumberCells:
    """A column of text, read as numbers; every part has the column's index.

    Args:
        cells: the text.
        values: float64; NaN where the text is not a finite number, or is unclear.
        missing: where the text is a code for a missing value.
        has_comma: where a decimal comma was read.
        unclear: where a comma or point may separate decimals or thousands.
    """

    cells: pd.Series
    values: pd.Series
    missing: pd.Series
    has_comma: pd.Series
    unclear: pd.Series

    @classmethod
    def of(cls, cells: pd.Series, declared: Collection[str] = ()) -> "NumberCells":
        """Read a column of text as numbers.

        Args:
            cells: text.
            declared: codes for missing values beside the known ones.
        """
        never = pd.Series(False, index=cells.index)
        values = cells.map(_number).astype("float64")
        if not declared and values.notna().all():  # as in most columns of most tables
            return cls(cells, values, never, never, never)
        missing = is_missing_number(cells, declared)
        has_comma, unclear = _commas(cells.mask(missing, ""))
        values = _with_points(cells, has_comma).mask(missing | unclear, "").map(_number).astype("float64")
        return cls(cells, values, missing, has_comma, unclear)

    @property
    def is_text(self) -> pd.Series:
        """Cells that are neither missing nor look like a number; boolean."""
        return ~self.missing & ~self.unclear & self.values.isna()

    @property
    def may_be_lists(self) -> bool:
        """True if there are commas, each between two digits: 1,2 may be one number or two codes."""
        commas, others = self.cells[self.has_comma], self.cells[self.values.notna() & ~self.has_comma]
        if commas.empty or others.str.contains(".", regex=False).any():
            return False
        return bool(commas.map(_TWO_DIGITS.fullmatch).notna().all())

    def plain_text(self) -> pd.Series:
        """The column with decimal points for commas, and empty where missing; other text as it is."""
        return _with_points(self.cells, self.has_comma).mask(self.missing, "")

    def log_commas(self) -> None:
        """Log which cells were read with a decimal comma, if there are any."""
        commas = self.cells[self.has_comma]
        if len(commas):
            examples = [f"{row} {quoted(cell)}" for row, cell in commas.items()]
            logger.warning(
                "Decimal commas are read in column %s: %s.", quoted(self.cells.name), listed(examples)
            )


def reads_as_number(text: str) -> bool:
    """Return True if text is a number with a decimal point or comma, or an infinite one as pandas writes it."""
    plain = _NUMBER.fullmatch(text) or _WITH_COMMA.fullmatch(text)
    return plain is not None or text.casefold() in ("inf", "-inf", "+inf")


def as_numbers(cells: pd.Series) -> pd.Series:
    """A column of text as float64; NaN where it is not a finite number."""
    return NumberCells.of(cells).values


def read_numbers(cells: pd.Series, declared: Collection[str] = ()) -> pd.Series:
    """Read a column of text as float64, and log its decimal commas.

    Args:
        cells: text, in which :func:`cell_faults.number_faults` finds nothing.
        declared: codes for missing values beside the known ones.
    """
    numbers = NumberCells.of(cells, declared)
    numbers.log_commas()
    return numbers.values


def plain_numbers(cells: pd.Series, declared: Collection[str] = ()) -> pd.Series:
    """A column of numbers as text that any program reads: decimal points, empty where missing; commas are logged.

    Args:
        cells: text.
        declared: codes for missing values beside the known ones.
    """
    numbers = NumberCells.of(cells, declared)
    numbers.log_commas()
    return numbers.plain_text()


def _commas(cells: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Find decimal commas, and cells in which the meaning of a comma or point is unclear.

    A cell that may be thousands is read as the column's other cells are written; it stays unclear if no other
    cell shows how, or if they are written in both ways.
    """
    never = pd.Series(False, index=cells.index)
    if not cells.str.contains(",", regex=False).any():
        return never, never
    comma = cells.map(_WITH_COMMA.fullmatch).notna()
    point = cells.map(_NUMBER.fullmatch).notna() & cells.str.contains(".", regex=False)
    comma_thousands, point_thousands = (
        cells.map(pattern.fullmatch).notna() for pattern in _MAYBE_THOUSANDS.values()
    )
    clear_comma, clear_point = comma & ~comma_thousands, point & ~point_thousands
    unclear = never
    if point.any() or not clear_comma.any():
        unclear = unclear | comma_thousands
    if clear_comma.any() and not clear_point.any():
        unclear = unclear | point_thousands
    return comma & ~unclear, unclear


def _with_points(cells: pd.Series, has_comma: pd.Series) -> pd.Series:
    return cells.mask(has_comma, cells.str.replace(",", ".", regex=False))


def _number(text: str) -> float:
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    return value if math.isfinite(value) else math.nan
