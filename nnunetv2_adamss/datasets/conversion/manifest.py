"""Read any cohort from one CSV: ``case_id, ct, pet, mask``, and if known ``time, event`` and clinical columns."""

from __future__ import annotations

from collections.abc import Sequence
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
from nnunetv2_adamss.datasets.conversion.source_cohort import Cohort
from nnunetv2_adamss.datasets.conversion.source_patients import PatientFiles, can_name_files
from nnunetv2_adamss.survival.cohort.column_kind import is_numeric
from nnunetv2_adamss.survival.cohort.description import (
    DESCRIPTION_FILE,
    EVENT,
    TIME,
    SurvivalDescription,
    parse_survival_description,
    read_content,
)

_FILES = ("ct", "pet", "mask")


def read_manifest(file: Path, label_names: Sequence[str] = ("tumour",)) -> Cohort:
    """Read a cohort's manifest and, if there is one, the ``survival.json`` beside it.

    Args:
        file: a row a patient; paths are absolute or from the manifest's folder; ``mask`` may be empty. Every other
            column except the outcome is a clinical one.
        label_names: of the masks' values 1, 2, ...

    Raises:
        ValueError: with every fault of the manifest.
    """
    cells = read_cells(file).rename(
        columns=lambda title: title.casefold() if title.casefold() in _ours() else title
    )
    faults = _header_faults(cells.columns) or _faults(cells)
    if faults:
        raise FileFaultsError(file, faults)
    cells = cells.apply(lambda column: column.mask(is_missing(column), ""))
    description, content = _description(file.parent / DESCRIPTION_FILE)
    patients = [_patient(file.parent, row) for row in cells[[CASE_ID, *_FILES]].to_dict("records")]
    table = cells.drop(columns=list(_FILES))
    for number, name in enumerate((TIME, EVENT), start=1):
        if name not in table:
            table.insert(number, name, "")
    table = table.apply(_plain, description=description)
    return Cohort(
        patients=patients,
        table=table,
        description=content,
        labels={"background": 0, **{name: value for value, name in enumerate(label_names, start=1)}},
        warnings=[],
        broken={},
        tables=[file],
    )


def _ours() -> set[str]:
    return {CASE_ID, *_FILES, TIME, EVENT}


def _header_faults(header: pd.Index) -> list[str]:
    absent = [name for name in (CASE_ID, *_FILES) if name not in header]
    if absent:
        return [
            f"there is no column {', '.join(absent)}; expected {', '.join((CASE_ID, *_FILES))}, "
            f"found {', '.join(header)}"
        ]
    return repeated_column_faults(header)


def _faults(cells: pd.DataFrame) -> list[str]:
    case_ids = cells[CASE_ID]
    unfit = case_ids[~case_ids.map(can_name_files).astype(bool)]
    repeated = case_ids[case_ids.str.casefold().duplicated()]
    incomplete = case_ids[is_missing(cells["ct"]) | is_missing(cells["pet"])]
    return [
        *faults_of("no file can have such a case_id", [quoted(case_id) for case_id in unfit]),
        *faults_of("case_id occurs more than once", [shortened(case_id) for case_id in repeated]),
        *faults_of("ct or pet is empty", [shortened(case_id) for case_id in incomplete]),
    ]


def _patient(folder: Path, row: dict[Any, str]) -> PatientFiles:
    mask = folder / row["mask"] if row["mask"] else None
    return PatientFiles(row[CASE_ID], folder / row["ct"], folder / row["pet"], mask)


def _plain(cells: pd.Series, description: SurvivalDescription) -> pd.Series:
    """Return a column as it is written: numbers with decimal points, empty where a code marks a missing number.

    Training and test patients go to two tables, so only the manifest shows the meaning of a comma.
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
