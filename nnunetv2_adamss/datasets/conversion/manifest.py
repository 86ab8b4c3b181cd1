"""Any cohort, described by one CSV: ``case_id, ct, pet, mask``, and if known ``time, event`` and clinical columns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from nnunetv2_adamss.common.json_object import read_object
from nnunetv2_adamss.datasets.conversion.cohort import Cohort
from nnunetv2_adamss.datasets.conversion.patients import PatientFiles, can_name_files
from nnunetv2_adamss.survival.cohort.cell_faults import repeated_column_faults
from nnunetv2_adamss.survival.cohort.cell_values import category_text, is_missing
from nnunetv2_adamss.survival.cohort.csv_cells import read_cells
from nnunetv2_adamss.survival.cohort.description import (
    CASE_ID,
    DESCRIPTION_FILE,
    EVENT,
    TIME,
    read_survival_description,
)
from nnunetv2_adamss.survival.cohort.faults import FileFaultsError, faults_of

_FILES = ("ct", "pet", "mask")


def read_manifest(file: Path, label_names: Sequence[str] = ("tumour",)) -> Cohort:
    """Read a cohort's manifest and, if there is one, the ``survival.json`` beside it.

    Args:
        file: a row a patient; paths are absolute or from the manifest's folder; ``mask`` may be empty. Every column
            but the files and the outcome is a clinical one.
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
    patients = [_patient(file.parent, row) for row in cells[[CASE_ID, *_FILES]].to_dict("records")]
    table = cells.drop(columns=list(_FILES))
    for number, name in enumerate((TIME, EVENT), start=1):
        if name not in table:
            table.insert(number, name, "")
    table[EVENT] = table[EVENT].map(category_text)
    return Cohort(
        patients=patients,
        table=table,
        description=_description(file.parent / DESCRIPTION_FILE),
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
        *faults_of("no file can have such a case_id", [repr(case_id) for case_id in unfit]),
        *faults_of("case_id is there more than once", list(repeated)),
        *faults_of("ct or pet is empty", list(incomplete)),
    ]


def _patient(folder: Path, row: dict[Any, str]) -> PatientFiles:
    mask = folder / row["mask"] if row["mask"] else None
    return PatientFiles(row[CASE_ID], folder / row["ct"], folder / row["pet"], mask)


def _description(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {"time_unit": "days"}
    read_survival_description(file)  # says what is wrong with it
    return read_object(file)
