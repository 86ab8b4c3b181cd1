"""Read outcomes and clinical columns from a table of the user's own, in the form of a survival table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from nnunetv2_adamss.common.case_names import CASE_ID
from nnunetv2_adamss.common.messages import quoted, shortened
from nnunetv2_adamss.common.tables.cell_faults import repeated_column_faults
from nnunetv2_adamss.common.tables.cell_values import category_text, is_missing
from nnunetv2_adamss.common.tables.csv_cells import read_cells
from nnunetv2_adamss.common.tables.faults import FileFaultsError, faults_of
from nnunetv2_adamss.common.tables.number_cells import plain_numbers
from nnunetv2_adamss.datasets.conversion.source_patients import can_name_files
from nnunetv2_adamss.survival.cohort.column_kind import is_numeric
from nnunetv2_adamss.survival.cohort.description import (
    DESCRIPTION_FILE,
    EVENT,
    TIME,
    SurvivalDescription,
    parse_survival_description,
    read_content,
)


@dataclass(frozen=True, eq=False)
class OutcomeTable:
    """Rows of patients.

    Args:
        table: ``case_id, time, event``, then further columns, as text; empty where nothing is known.
        description: content of ``survival.json``.
    """

    table: pd.DataFrame
    description: dict[str, Any]

    @classmethod
    def empty(cls) -> OutcomeTable:
        """Return a table without patients."""
        return cls(pd.DataFrame(columns=[CASE_ID, TIME, EVENT], dtype=str), {"time_unit": "days"})


def read_outcome_table(file: Path, files: Sequence[str] = (), needed: Sequence[str] = ()) -> OutcomeTable:
    """Read a table and, if there is one, the ``survival.json`` beside it.

    Args:
        file: a row a patient. Every column except ``case_id``, the outcome and names of files is a clinical one.
        files: further columns that must be there, with names of files, kept as they are.
        needed: those of them that must not be empty.

    Raises:
        ValueError: with every fault of the table.
    """
    ours = {CASE_ID, *files, TIME, EVENT}
    cells = read_cells(file).rename(
        columns=lambda title: title.casefold() if title.casefold() in ours else title
    )
    faults = _header_faults(cells.columns, (CASE_ID, *files)) or _faults(cells, needed)
    if faults:
        raise FileFaultsError(file, faults)
    cells = cells.apply(lambda column: column.mask(is_missing(column), ""))
    for number, name in enumerate((TIME, EVENT), start=1):
        if name not in cells:
            cells.insert(number, name, "")
    description, content = _description(file.parent / DESCRIPTION_FILE)
    own = cells.drop(columns=list(files)).apply(_plain, description=description)
    return OutcomeTable(own.assign(**{name: cells[name] for name in files}), content)


def _header_faults(header: pd.Index, columns: Sequence[str]) -> list[str]:
    absent = [name for name in columns if name not in header]
    if absent:
        return [
            f"there is no column {', '.join(absent)}; expected {', '.join(columns)}, found {', '.join(header)}"
        ]
    return repeated_column_faults(header)


def _faults(cells: pd.DataFrame, needed: Sequence[str]) -> list[str]:
    case_ids = cells[CASE_ID]
    unfit = case_ids[~case_ids.map(can_name_files).astype(bool)]
    repeated = case_ids[case_ids.str.casefold().duplicated()]
    found = [
        *faults_of("no file can have such a case_id", [quoted(case_id) for case_id in unfit]),
        *faults_of("case_id occurs more than once", [shortened(case_id) for case_id in repeated]),
    ]
    if needed:
        incomplete = case_ids[cells[list(needed)].apply(is_missing).any(axis=1)]
        found += faults_of(f"{' or '.join(needed)} is empty", [shortened(case_id) for case_id in incomplete])
    return found


def _plain(cells: pd.Series, description: SurvivalDescription) -> pd.Series:
    """Return a column as it is written: numbers with decimal points, empty where a code marks a missing number.

    Training and test patients go to two tables, so only the source shows the meaning of a comma.
    """
    if cells.name == TIME:
        return plain_numbers(cells)
    if cells.name == EVENT:
        return plain_numbers(cells).map(category_text)
    if cells.name != CASE_ID and is_numeric(cells, description):
        return plain_numbers(cells, description.missing_codes(str(cells.name)))
    return cells


def _description(file: Path) -> tuple[SurvivalDescription, dict[str, Any]]:
    """Return the description, and the content of its file, which is kept unchanged."""
    if not file.is_file():
        return SurvivalDescription(), {"time_unit": "days"}
    content = read_content(file)
    return parse_survival_description(content, file), content
