"""A clinical indicator and its encoding as columns of numbers.

Not scikit-learn's encoders: fitted ones are stored by pickle, which runs code; these are JSON and plain checkpoints.
"""

import logging
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from nnunetv2_adamss.common.kinds import Kind, check_kinds, is_number, is_positive, list_of, optional
from nnunetv2_adamss.common.messages import listed, quoted, shortened
from nnunetv2_adamss.common.tables.cell_values import category_text, is_missing
from nnunetv2_adamss.common.tables.number_cells import NumberCells, plain_numbers
from nnunetv2_adamss.survival.cohort.description import CATEGORY, NUMBER

logger = logging.getLogger(__name__)

# Levels that no table contains: parentheses distinguish them from a category called "other".
RARE, UNKNOWN = "(rare)", "(unknown)"
_LISTS = ("levels", "merged", "missing_values")


def _is_fill(value: Any) -> bool:
    return isinstance(value, str) or is_number(value)


_KINDS: dict[str, Kind] = {
    "name": str,
    "kind": str,
    "fill": _is_fill,
    "levels": list_of(str),
    "merged": list_of(str),
    "mean": is_number,
    "spread": is_positive,
    "lowest": optional(is_number),
    "highest": optional(is_number),
}


@dataclass(frozen=True)
class Indicator:
    """The encoding of a clinical column, fitted on the training cases; plain data.

    A number is z-scored. An ordinal column is one number, the position of its category, z-scored. A category is
    one column of 0 and 1 for each level but the first, the reference.

    Args:
        name: of the column.
        kind: ``number``, ``ordinal`` or ``category``.
        fill: the value for missing ones: a number (for an ordinal column with levels, a position), or a level.
        levels: of an ordinal column, in order, or empty if its values are numbers; of a category, those that are
            encoded, the reference first.
        merged: categories that were too rare; they count as ``(rare)`` if that is a level, else as the reference.
        mean: of the training cases.
        spread: standard deviation of the training cases.
        lowest: value among the training cases, of a number or ordinal column.
        highest: value among the training cases, of a number or ordinal column.
        missing_values: codes that mean a missing value in this column, beside the known ones.
    """

    name: str
    kind: str
    fill: float | str
    levels: tuple[str, ...] = ()
    merged: tuple[str, ...] = ()
    mean: float = 0.0
    spread: float = 1.0
    lowest: float | None = None
    highest: float | None = None
    missing_values: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        """Names of the input columns."""
        return [f"{self.name}={level}" for level in self.levels[1:]] if self.kind == CATEGORY else [self.name]

    @property
    def unit(self) -> str:
        """The unit of a hazard ratio, in words."""
        if self.kind == CATEGORY:
            return f"against {self.levels[0]}"
        return f"standard deviation ({self.spread:.4g})" if self.kind == NUMBER else "step"

    @property
    def units_per_input(self) -> float:
        """Number of these units in an input of 1."""
        return self.spread if self.kind not in (CATEGORY, NUMBER) else 1.0

    @property
    def holds_numbers(self) -> bool:
        """True if its values are numbers, not categories."""
        return self.kind != CATEGORY and not self.levels

    def values_of(self, cells: pd.Series) -> pd.Series:
        """Read the values of new cases: the text of their cells with decimal points, NaN where missing.

        Args:
            cells: text, the whole column of a table, which shows whether commas are decimal.
        """
        if self.holds_numbers:
            cells = plain_numbers(cells, self.missing_values)
        return cells.map(category_text).mask(is_missing(cells, self.missing_values), np.nan)

    def encode(self, values: pd.Series) -> pd.DataFrame:
        """Encode the values of some cases as inputs, ``(n_cases, n_columns)``.

        A category that the training cases did not have counts as ``(rare)`` if there is such a level, else as
        missing; a warning names it.

        Args:
            values: numbers or text, NaN where missing.

        Raises:
            ValueError: if a column of numbers holds text.
        """
        if self.kind == CATEGORY:
            levels = self._levels_of(values)
            columns = {f"{self.name}={level}": (levels == level).astype(float) for level in self.levels[1:]}
            return pd.DataFrame(columns, index=values.index)
        numbers = self.numbers(values).fillna(float(self.fill))
        return pd.DataFrame({self.name: (numbers - self.mean) / self.spread})

    def numbers(self, values: pd.Series) -> pd.Series:
        """Convert the values of a number or ordinal column to numbers, NaN where missing.

        Raises:
            ValueError: if a column of numbers holds text.
        """
        if not self.levels:
            return numbers_of(values, self.missing_values)
        text = texts_of(values)
        self._warn_of(text[self.unseen(values)], "a missing value")
        return text.map({level: float(place) for place, level in enumerate(self.levels)}).astype(float)

    def unseen(self, values: pd.Series) -> pd.Series:
        """Find values whose category the training cases did not have; boolean, all False for plain numbers."""
        if self.holds_numbers:
            return pd.Series(False, index=values.index)
        text = texts_of(values)
        return text.notna() & ~text.isin([*self.levels, *self.merged])

    def _levels_of(self, values: pd.Series) -> pd.Series:
        text, unseen = texts_of(values), self.unseen(values)
        strange = RARE if RARE in self.levels else str(self.fill)
        stands_for = {level: level for level in self.levels}
        stands_for |= dict.fromkeys(self.merged, RARE if RARE in self.levels else self.levels[0])
        self._warn_of(text[unseen], "rare" if strange == RARE else "a missing value")
        return text.map(stands_for).mask(unseen, strange).fillna(str(self.fill))

    def _warn_of(self, unseen: pd.Series, meaning: str) -> None:
        if len(unseen):
            logger.warning(
                "The training cases had no '%s' of %s; it counts as %s.",
                self.name,
                listed(sorted({quoted(value) for value in unseen})),
                meaning,
            )

    def to_dict(self) -> dict[str, Any]:
        """Convert the indicator to plain data."""
        values = asdict(self) | {name: list(getattr(self, name)) for name in _LISTS}
        # Left out if empty, so that version 0.1 can read the model.
        return values if self.missing_values else {k: v for k, v in values.items() if k != "missing_values"}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Indicator":
        """Indicator from plain data, as ``to_dict`` gives it.

        Raises:
            ValueError: if a figure is not finite, or a value of another kind.
        """
        check_kinds(values, _KINDS, " of a clinical indicator")
        return cls(**{**values, **{name: tuple(values[name]) for name in _LISTS if name in values}})


def texts_of(values: pd.Series) -> pd.Series:
    """Convert categories to the text by which they are compared, NaN where missing."""
    text = values.map(lambda value: np.nan if pd.isna(value) else category_text(str(value)), na_action=None)
    return text.astype(object)


def numbers_of(values: pd.Series, missing_values: Collection[str] = ()) -> pd.Series:
    """Convert values to numbers, NaN where missing or not finite.

    Args:
        values: numbers or text.
        missing_values: codes for a missing value, beside the known ones.

    Raises:
        ValueError: if there is text among them.
    """
    if pd.api.types.is_numeric_dtype(values):
        return values.astype(float).replace([np.inf, -np.inf], np.nan)
    text = values.map(lambda value: "" if pd.isna(value) else str(value))
    numbers = NumberCells.of(text, missing_values)
    wrong = sorted(map(shortened, set(text[numbers.is_text | numbers.unclear])))
    if wrong:
        raise ValueError(
            f"Clinical column '{values.name}' holds numbers, but also {listed(wrong)}. Correct the cells, or leave "
            "them empty where nothing is known."
        )
    return numbers.values
