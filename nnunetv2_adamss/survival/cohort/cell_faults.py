"""What can be wrong with any table of cases: its header, its ``case_id``, its numbers."""

from collections.abc import Sequence

import pandas as pd

from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.survival.cohort.cell_values import as_numbers, is_missing
from nnunetv2_adamss.survival.cohort.description import CASE_ID
from nnunetv2_adamss.survival.cohort.faults import faults_of

# What pandas writes for a number that is not finite: a missing value, not a slip of the pen.
_INFINITE_TEXTS = frozenset({"inf", "-inf"})


def missing_column_faults(header: pd.Index, required: Sequence[str]) -> list[str]:
    """Columns that a table needs and has not."""
    missing = [f"'{name}'" for name in required if name not in header]
    if not missing:
        return []
    names = listed(list(map(str, header)))
    return [f"the header (row 1) has no column {' and no column '.join(missing)}, only {names}"]


def repeated_column_faults(header: pd.Index) -> list[str]:
    """Columns of which one cannot tell which is meant."""
    repeated = header[header.duplicated()].unique()
    return faults_of("columns are there more than once", [f"'{name}'" for name in repeated])


def case_id_faults(ids: pd.Series) -> list[str]:
    """Cells of the column ``case_id`` that are empty or do not tell rows apart; its index is the row number."""
    is_empty = ids == ""
    twice = ids[ids.duplicated(keep=False) & ~is_empty].sort_values(kind="stable")
    return [
        *faults_of(f"column '{CASE_ID}' is empty", [f"row {row}" for row in ids.index[is_empty]]),
        *cell_faults(f"column '{CASE_ID}' must differ from row to row", twice),
    ]


def number_faults(cells: pd.Series) -> list[str]:
    """Cells of a column that are text; empty and infinite ones are missing values."""
    is_number = is_missing(cells) | as_numbers(cells).notna() | cells.str.casefold().isin(_INFINITE_TEXTS)
    return cell_faults(f"column '{cells.name}' must hold numbers", cells[~is_number])


def cell_faults(sentence: str, cells: pd.Series) -> list[str]:
    """The sentence with the first of these cells, by row; nothing without cells."""
    return faults_of(sentence, [f"row {row} '{value}'" for row, value in cells.items()])
