"""Faults that any table of cases can have: in its header, its ``case_id``, its numbers."""

from collections.abc import Collection, Sequence

import pandas as pd

from nnunetv2_adamss.common.case_names import CASE_ID
from nnunetv2_adamss.common.messages import listed, quoted, shortened
from nnunetv2_adamss.common.tables.faults import faults_of
from nnunetv2_adamss.common.tables.number_cells import NumberCells

# What pandas writes for a number that is not finite: a missing value, not a typing error.
_INFINITE_TEXTS = frozenset({"inf", "-inf"})


def missing_column_faults(header: pd.Index, required: Sequence[str]) -> list[str]:
    """Faults for columns that a table needs but lacks."""
    missing = [f"'{name}'" for name in required if name not in header]
    if not missing:
        return []
    names = listed(list(map(shortened, header)))
    return [f"the header (row 1) has no column {' and no column '.join(missing)}, only {names}"]


def repeated_column_faults(header: pd.Index) -> list[str]:
    """Faults for columns whose name occurs more than once."""
    repeated = header[header.duplicated()].unique()
    return faults_of("columns occur more than once", [quoted(name) for name in repeated])


def case_id_faults(ids: pd.Series) -> list[str]:
    """Faults for cells of the column ``case_id`` that are empty or repeated; its index is the row number."""
    is_empty = ids == ""
    twice = ids[ids.duplicated(keep=False) & ~is_empty].sort_values(kind="stable")
    return [
        *faults_of(f"column '{CASE_ID}' is empty", [f"row {row}" for row in ids.index[is_empty]]),
        *cell_faults(f"column '{CASE_ID}' must differ from row to row", twice),
    ]


def number_faults(
    cells: pd.Series,
    declared: Collection[str] = (),
    *,
    sentence: str | None = None,
    infinite_is_missing: bool = True,
) -> list[str]:
    """Faults for cells of a column of numbers that are text, or whose number is unclear.

    Args:
        cells: text.
        declared: codes for missing values beside the known ones.
        sentence: what the column must be; without a full stop.
        infinite_is_missing: whether an infinite number is a missing value, as in tables that a program wrote.
    """
    numbers = NumberCells.of(cells, declared)
    text = cells[numbers.is_text]
    if infinite_is_missing:
        text = text[~text.str.casefold().isin(_INFINITE_TEXTS)]
    sentence = sentence or f"column {quoted(cells.name)} must hold numbers"
    return [*cell_faults(sentence, text), *unclear_faults(numbers)]


def unclear_faults(numbers: NumberCells) -> list[str]:
    """Faults for cells whose comma or point may separate decimals or thousands."""
    return cell_faults(
        f"column {quoted(numbers.cells.name)} has numbers that may be decimal or thousands, such as 1,234; write them "
        "with a decimal point and without a mark for thousands",
        numbers.cells[numbers.unclear],
    )


def cell_faults(sentence: str, cells: pd.Series) -> list[str]:
    """One fault, the sentence with the first of these cells by row; none without cells."""
    return faults_of(sentence, [f"row {row} {quoted(value)}" for row, value in cells.items()])
