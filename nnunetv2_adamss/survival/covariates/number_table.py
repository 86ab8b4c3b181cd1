"""Tables of numbers by case: radiomics, and whatever else a user has measured (MRI radiomics, genomics)."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from nnunetv2_adamss.survival.cohort.cell_values import as_numbers, is_missing
from nnunetv2_adamss.survival.cohort.csv_cells import UnreadableCsvError, read_cells
from nnunetv2_adamss.survival.cohort.description import CASE_ID
from nnunetv2_adamss.survival.cohort.faults import FileFaultsError, with_examples
from nnunetv2_adamss.survival.messages import listed

# What pandas writes for a number that is not finite: a missing value, not a slip of the pen.
_INFINITE_TEXTS = frozenset({"inf", "-inf"})


class NumberTableError(FileFaultsError):
    """A table of numbers that cannot be used, with all its faults."""


def read_number_table(csv_file: Path) -> pd.DataFrame:
    """Read a column ``case_id`` and any number columns; empty and infinite cells are missing values.

    Returns:
        Numbers (float64), indexed by ``case_id``.

    Raises:
        NumberTableError: with every fault of the file.
    """
    try:
        cells = read_cells(csv_file)
    except UnreadableCsvError as error:
        raise NumberTableError(csv_file, [str(error)]) from error
    return number_table(cells, csv_file)


def number_table(cells: pd.DataFrame, csv_file: Path) -> pd.DataFrame:
    """The same of cells that were read already.

    Args:
        cells: as text, of columns that shall be numbers and ``case_id``.
        csv_file: where they are from.

    Raises:
        NumberTableError: with every fault of these columns.
    """
    faults = _faults(cells)
    if faults:
        raise NumberTableError(csv_file, faults)
    return cells.set_index(CASE_ID).apply(as_numbers).rename_axis(columns=None)


def join_number_tables(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame | None:
    """Put tables side by side; a case that one of them lacks is left out and so will be missed by name.

    Args:
        tables: by a name for people.

    Returns:
        All columns of the cases that every table has, or None for no table.

    Raises:
        ValueError: if a column is in more than one table.
    """
    if not tables:
        return None
    owner: dict[str, str] = {}
    twice = []
    for name, table in tables.items():
        twice += [f"{column} ({owner[column]}, {name})" for column in table if column in owner]
        owner |= dict.fromkeys(map(str, table), name)
    if twice:
        raise ValueError(f"Feature columns must differ between the tables: {listed(twice)}. Rename them.")
    return pd.concat(list(tables.values()), axis=1, join="inner")


def _faults(cells: pd.DataFrame) -> list[str]:
    if CASE_ID not in cells:
        return [f"the header (row 1) has no column '{CASE_ID}', only {listed(list(map(str, cells)))}"]
    faults = []
    repeated = cells.columns[cells.columns.duplicated()].unique()
    if len(repeated):
        return [with_examples("columns are there more than once", [f"'{name}'" for name in repeated])]
    if len(cells.columns) == 1:
        faults.append(f"there is no feature beside '{CASE_ID}'")
    ids = cells[CASE_ID]
    empty = [f"row {row}" for row in ids.index[ids == ""]]
    if empty:
        faults.append(with_examples(f"column '{CASE_ID}' is empty", empty))
    twice = ids[ids.duplicated(keep=False) & (ids != "")].sort_values(kind="stable")
    if len(twice):
        faults.append(with_examples(f"column '{CASE_ID}' must differ from row to row", _examples(twice)))
    for name in cells.columns.drop(CASE_ID):
        text = cells[name][~_is_number_or_missing(cells[name])]
        if len(text):
            faults.append(with_examples(f"column '{name}' must hold numbers", _examples(text)))
    return faults


def _is_number_or_missing(cells: pd.Series) -> pd.Series:
    return is_missing(cells) | as_numbers(cells).notna() | cells.str.casefold().isin(_INFINITE_TEXTS)


def _examples(cells: pd.Series) -> list[str]:
    return [f"row {row} '{value}'" for row, value in cells.items()]
