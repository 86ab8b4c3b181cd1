"""Read any cohort from one CSV: ``case_id, ct, pet, mask``, and if known ``time, event`` and clinical columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nnunetv2_adamss.common.case_names import CASE_ID
from nnunetv2_adamss.datasets.conversion.dicom_patient import DicomOptions, DicomPatient
from nnunetv2_adamss.datasets.conversion.outcome_table import read_outcome_table
from nnunetv2_adamss.datasets.conversion.scans import PatientSource
from nnunetv2_adamss.datasets.conversion.source_cohort import Cohort
from nnunetv2_adamss.datasets.conversion.source_patients import PatientFiles, files_below
from nnunetv2_adamss.dicom.dicom_series import Series, read_headers, series_of

_FILES = ("ct", "pet", "mask")


def read_manifest(file: Path, label_names: Sequence[str], dicom: DicomOptions) -> Cohort:
    """Read a cohort's manifest and, if there is one, the ``survival.json`` beside it.

    Args:
        file: a row a patient; paths are absolute or from the manifest's folder; ``mask`` may be empty. Every other
            column except the outcome is a clinical one.
        label_names: of the masks' values 1, 2, ...
        dicom: options for patients whose ``ct`` and ``pet`` are folders of DICOM slices.

    Raises:
        ValueError: with every fault of the manifest.
    """
    rows = read_outcome_table(file, _FILES, ("ct", "pet"))
    patients: list[PatientSource] = []
    broken = {}
    for row in rows.table[[CASE_ID, *_FILES]].to_dict("records"):
        try:
            patients.append(_patient(file.parent, row, dicom))
        except ValueError as error:
            broken[row[CASE_ID]] = str(error)
    return Cohort(
        patients=patients,
        table=rows.table.drop(columns=list(_FILES)),
        description=rows.description,
        labels={"background": 0, **{name: value for value, name in enumerate(label_names, start=1)}},
        warnings=[],
        broken=broken,
        tables=[file],
    )


def _patient(folder: Path, row: Mapping[Any, str], dicom: DicomOptions) -> PatientSource:
    ct, pet = folder / row["ct"], folder / row["pet"]
    mask = folder / row["mask"] if row["mask"] else None
    if not ct.is_dir() and not pet.is_dir():
        return PatientFiles(row[CASE_ID], ct, pet, mask)
    if not (ct.is_dir() and pet.is_dir()):
        raise ValueError(
            "one of ct and pet is a folder of DICOM slices and one is a file; give both of one kind"
        )
    scans = _series(ct) if ct == pet else [*_series(ct), *_series(pet)]
    structures = [] if mask is None else _series(mask)
    if mask is not None and not structures:
        raise ValueError("its mask is not a DICOM object, but its scans are; name an RTSTRUCT or SEG")
    return DicomPatient.of(row[CASE_ID], scans, dicom, structures)


def _series(path: Path) -> list[Series]:
    """Return the DICOM series of a folder, or of a single file."""
    return series_of(read_headers(files_below(path) if path.is_dir() else [path])[0])
