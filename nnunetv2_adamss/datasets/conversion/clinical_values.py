"""Clean values of published clinical columns, so that they can be compared and computed with."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from nnunetv2_adamss.common.messages import listed, quoted
from nnunetv2_adamss.common.tables.number_cells import NumberCells, plain_numbers
from nnunetv2_adamss.datasets.conversion.presets import COLUMNS


def tidy(clinical: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Give each value one spelling, and remove text among numbers.

    Args:
        clinical: text, index ``case_id``; columns are keys of ``COLUMNS``.

    Returns:
        The table, empty where a number was expected and text found; and sentences that name these patients.
    """
    columns, warnings = {}, []
    for name in clinical:
        cells, column = clinical[name], COLUMNS[str(name)]
        if column.kind == "number":
            numbers = NumberCells.of(cells)
            is_text = numbers.is_text | numbers.unclear
            found = [f"{case_id} {quoted(cell)}" for case_id, cell in cells[is_text].items()]
            warnings += (
                [f"{name} is not a number and is treated as unknown: {listed(found)}"] if found else []
            )
            columns[name] = plain_numbers(cells).mask(is_text, "")
        else:
            columns[name] = _one_spelling(cells, column.categories)
    return pd.DataFrame(columns, index=clinical.index), warnings


def _one_spelling(cells: pd.Series, known: Sequence[str]) -> pd.Series:
    """Unite values that differ in capitals only: take the known spelling, or the most frequent one."""
    spellings: dict[str, str] = {}
    by_frequency = cells.value_counts().sort_index().sort_values(ascending=False, kind="stable").index
    for value in (*known, *by_frequency):
        spellings.setdefault(value.casefold(), value)
    return cells.map(lambda cell: spellings[cell.casefold()])
