"""Write tables as CSV, so that text that a spreadsheet program would run as a formula stays text."""

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nnunetv2_adamss.common.tables.number_cells import reads_as_number

# See "CSV Injection", OWASP. Apostrophes in front count too, so that reading takes off only what writing put there.
_FORMULA = re.compile(r"'*(?P<text>[=@+\-\t\r].+)", re.DOTALL)


def csv_text(table: pd.DataFrame, **options: Any) -> str:
    """The text of a CSV file.

    An apostrophe is put before each formula among the cells, titles and row names, as spreadsheet programs do;
    :func:`csv_cells.read_cells` and :func:`read_csv` take it off again. Numbers are not changed.

    Args:
        table: any.
        options: as of ``pandas.DataFrame.to_csv``.
    """
    escaped = _mapped(table, _escaped)
    if any("\r" in text for text in _texts(escaped)):
        # The csv module does not quote it, and readers end a row there.
        options = {"quoting": csv.QUOTE_NONNUMERIC, **options}
    return str(escaped.to_csv(None, **options))


def read_csv(file: Path, **options: Any) -> pd.DataFrame:
    """Read a CSV file that this package wrote, with its formulas as they were before.

    Args:
        file: as :func:`csv_text` made it.
        options: as of ``pandas.read_csv``; titles in them are those in the file.
    """
    return _mapped(pd.read_csv(file, **options), unescaped)


def unescaped(cell: Any) -> Any:
    """A cell as it was before it was escaped; other cells are returned unchanged."""
    return cell[1:] if isinstance(cell, str) and cell.startswith("'") and _is_formula(cell[1:]) else cell


def _mapped(table: pd.DataFrame, change: Callable[[Any], Any]) -> pd.DataFrame:
    """The table with its text changed, also that of titles and row names; columns of numbers keep their types."""
    mapped = table.set_axis(_mapped_names(table.columns, change), axis=1)
    mapped.index = _mapped_names(table.index, change)
    for place in range(table.shape[1]):
        before = list(table.iloc[:, place])
        after = [change(cell) for cell in before]
        if _differ(before, after):
            mapped.isetitem(place, np.array(after, dtype=object))
    return mapped


def _texts(table: pd.DataFrame) -> Iterator[str]:
    parts = [table.columns, table.index, *(table.iloc[:, place] for place in range(table.shape[1]))]
    for values in parts:
        yield from (value for value in values if isinstance(value, str))


def _mapped_names(names: pd.Index, change: Callable[[Any], Any]) -> pd.Index:
    after = [change(name) for name in names]
    return pd.Index(after, name=names.name) if _differ(list(names), after) else names


def _differ(before: list[Any], after: list[Any]) -> bool:
    return any(one is not other for one, other in zip(before, after, strict=True))


def _escaped(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and _is_formula(cell) else cell


def _is_formula(text: str) -> bool:
    found = _FORMULA.fullmatch(text)
    return found is not None and not reads_as_number(found["text"])
