"""Tables of numbers by case: radiomics, and other measurements of the user (MRI radiomics, genomics)."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from nnunetv2_adamss.common.case_names import CASE_ID
from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.common.tables.cell_faults import (
    case_id_faults,
    missing_column_faults,
    number_faults,
    repeated_column_faults,
)
from nnunetv2_adamss.common.tables.csv_cells import read_cells
from nnunetv2_adamss.common.tables.faults import FileFaultsError
from nnunetv2_adamss.common.tables.number_cells import read_numbers


def read_number_table(csv_file: Path) -> pd.DataFrame:
    """Read a table with a column ``case_id`` and columns of numbers.

    Empty and infinite cells, and known codes such as ``unknown``, are missing values.

    Returns:
        Numbers (float64), indexed by ``case_id``.

    Raises:
        FileFaultsError: with every fault of the file.
    """
    cells = read_cells(csv_file)
    faults = missing_column_faults(cells.columns, [CASE_ID]) or repeated_column_faults(cells.columns)
    faults = faults or _cell_faults(cells)
    if faults:
        raise FileFaultsError(csv_file, faults)
    return cells.set_index(CASE_ID).apply(read_numbers).rename_axis(columns=None)


def join_number_tables(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame | None:
    """Join tables by case; a case that one of them lacks is left out, and later checks name it as missing.

    Args:
        tables: by a name for messages.

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


def _cell_faults(cells: pd.DataFrame) -> list[str]:
    features = cells.columns.drop(CASE_ID)
    return [
        *([] if len(features) else [f"there is no feature beside '{CASE_ID}'"]),
        *case_id_faults(cells[CASE_ID]),
        *(fault for name in features for fault in number_faults(cells[name])),
    ]
