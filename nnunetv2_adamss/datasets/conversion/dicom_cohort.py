"""Read a cohort from a folder of DICOM files, with a survival table of its patients if there is one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
from joblib import delayed

from nnunetv2_adamss.common.case_names import CASE_ID
from nnunetv2_adamss.common.messages import listed, shortened
from nnunetv2_adamss.common.parallel import in_parallel
from nnunetv2_adamss.datasets.conversion.dicom_patient import DicomOptions, DicomPatient
from nnunetv2_adamss.datasets.conversion.dicom_warnings import about_attenuation, about_damaged_files
from nnunetv2_adamss.datasets.conversion.outcome_table import OutcomeTable, read_outcome_table
from nnunetv2_adamss.datasets.conversion.source_cohort import Cohort
from nnunetv2_adamss.datasets.conversion.source_patients import (
    can_name_files,
    files_below,
    number_of_patients,
    patient_of,
)
from nnunetv2_adamss.dicom.dicom_patients import by_patient, in_several, number_of_ids
from nnunetv2_adamss.dicom.dicom_series import Header, read_headers, series_of
from nnunetv2_adamss.dicom.structures import label_of

_FILES_AT_ONCE = 500
_NAMELESS = "(no PatientID)"


def read_dicom_cohort(
    source: Path,
    options: DicomOptions,
    table: Path | None = None,
    *,
    num_processes: int = 1,
    on_files_read: Callable[[int, int], object] = lambda n_read, n_files: None,
) -> Cohort:
    """Find the patients of a folder, choose their series and join their rows.

    Args:
        source: a folder with DICOM files anywhere below.
        options: for every patient.
        table: ``case_id`` and, if known, ``time, event`` and clinical columns; a ``survival.json`` may lie beside it.
        num_processes: processes that read headers.
        on_files_read: called with the numbers of files that were read just now, and of all files.

    Raises:
        ValueError: if there are no DICOM files, or the table cannot be used.
    """
    if not source.is_dir():
        raise ValueError(f"{source} is not a folder.")
    headers, n_damaged = _headers(files_below(source), num_processes, on_files_read)
    if not headers:
        raise ValueError(f"There is no DICOM file below {source}.")
    named = by_patient(source, headers)
    patients, broken = _patients(named, options)
    rows = read_outcome_table(table) if table else OutcomeTable.empty()
    outcomes, warnings = _joined(rows, [patient.case_id for patient in patients], set(broken))
    warnings += [f"one PatientID is in several folders: {listed(group)}" for group in in_several(named)]
    warnings += [*about_damaged_files(n_damaged), *about_attenuation(patients)]
    return Cohort(
        patients=patients,
        table=outcomes,
        description=rows.description,
        labels=options.labels,
        warnings=[*warnings, *_unmatched_structures(patients, options)],
        broken=broken,
        tables=[table or source],
    )


def _headers(
    files: Sequence[Path], num_processes: int, on_files_read: Callable[[int, int], object]
) -> tuple[list[Header], int]:
    headers: list[Header] = []
    n_damaged = 0
    parts = [files[first : first + _FILES_AT_ONCE] for first in range(0, len(files), _FILES_AT_ONCE)]
    tasks = [delayed(_read_part)(part) for part in parts]
    for found, n_damaged_of_part, n_read in in_parallel(tasks, num_processes):
        headers += found
        n_damaged += n_damaged_of_part
        on_files_read(n_read, len(files))
    return headers, n_damaged


def _read_part(files: Sequence[Path]) -> tuple[list[Header], int, int]:
    return (*read_headers(files), len(files))


def _patients(
    named: dict[str, list[Header]], options: DicomOptions
) -> tuple[list[DicomPatient], dict[str, str]]:
    patients, broken = [], {}
    for name, headers in sorted(named.items()):
        try:
            if not name:
                raise ValueError(
                    "the tag PatientID is missing; put the files of each patient into one folder"
                )
            if number_of_ids(headers) > 1:
                raise ValueError(f"the folder holds files of {number_of_ids(headers)} patients")
            if not can_name_files(name):
                raise ValueError("no file can have such a name; rename the folder")
            patients.append(DicomPatient.of(name, series_of(headers), options))
        except ValueError as error:
            broken[name or _NAMELESS] = str(error)
    return patients, broken


def _joined(rows: OutcomeTable, case_ids: Sequence[str], broken: set[str]) -> tuple[pd.DataFrame, list[str]]:
    """Return a row for each patient, and warnings of patients who have only a row or only scans."""
    known = rows.table.set_index(CASE_ID)
    found = {name: patient_of(name, [*case_ids, *broken]) for name in known.index}
    without_scans = [shortened(name) for name, case_id in found.items() if case_id is None]
    known = known[known.index.map(found).isin(case_ids)]
    known.index = pd.Index([found[name] for name in known.index], name=CASE_ID)
    if known.index.has_duplicates:
        twice = known.index[known.index.duplicated()].unique()
        raise ValueError(f"The table has more than one row of a patient: {listed(list(twice))}.")
    without_row = [case_id for case_id in case_ids if case_id not in known.index] if found else []
    warnings = [
        f"{number_of_patients(len(names))} {what}: {listed(names)}"
        for names, what in (
            (without_scans, "in the table without scans"),
            (without_row, "without a row in the table"),
        )
        if names
    ]
    return known.reindex(list(case_ids), fill_value="").reset_index(), warnings


def _unmatched_structures(patients: Sequence[DicomPatient], options: DicomOptions) -> list[str]:
    sets = [patient.chosen.structures for patient in patients if patient.chosen.structures is not None]
    names = Counter(name for one in sets for name in set(one.names) if not label_of(name, options.structures))
    if not names:
        return []
    counted = [f"{shortened(name)} ({number})" for name, number in names.most_common()]
    return [f"structures that no label takes, with numbers of patients: {', '.join(counted)}"]
