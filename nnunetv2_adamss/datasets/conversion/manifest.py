"""Read any cohort from one CSV: ``case_id, ct, pet, mask``, and if known ``time, event`` and clinical columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from nnunetv2_adamss.common.case_names import CASE_ID
from nnunetv2_adamss.datasets.conversion.dicom_patient import DicomOptions, DicomPatient
from nnunetv2_adamss.datasets.conversion.dicom_warnings import about_attenuation, about_damaged_files
from nnunetv2_adamss.datasets.conversion.outcome_table import read_outcome_table
from nnunetv2_adamss.datasets.conversion.scans import PatientSource
from nnunetv2_adamss.datasets.conversion.source_cohort import Cohort
from nnunetv2_adamss.datasets.conversion.source_patients import PatientFiles, files_below
from nnunetv2_adamss.dicom.dicom_series import Header, read_headers, series_of

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
    broken, n_damaged = {}, {}
    for row in rows.table[[CASE_ID, *_FILES]].to_dict("records"):
        case_id = row[CASE_ID]
        paths = {kind: file.parent / row[kind] for kind in _FILES if row[kind]}
        headers, n_damaged[case_id] = _headers(paths)
        try:
            patients.append(_patient(case_id, paths, headers, dicom))
        except ValueError as error:
            broken[case_id] = str(error)
    return Cohort(
        patients=patients,
        table=rows.table.drop(columns=list(_FILES)),
        description=rows.description,
        labels={"background": 0, **{name: value for value, name in enumerate(label_names, start=1)}},
        warnings=[
            *about_damaged_files(
                sum(n_damaged.values()), [name for name, number in n_damaged.items() if number]
            ),
            *about_attenuation(patients),
        ],
        broken=broken,
        tables=[file],
    )


def _headers(paths: Mapping[str, Path]) -> tuple[dict[Path, list[Header]], int]:
    """Return the DICOM headers of each path, none for images of other formats, and the number of damaged files."""
    headers, n_damaged = {}, 0
    if any(paths[kind].is_dir() for kind in ("ct", "pet")):
        for path in set(paths.values()):
            headers[path], n_damaged_here = read_headers(files_below(path) if path.is_dir() else [path])
            n_damaged += n_damaged_here
    return headers, n_damaged


def _patient(
    case_id: str, paths: Mapping[str, Path], headers: Mapping[Path, Sequence[Header]], dicom: DicomOptions
) -> PatientSource:
    ct, pet, mask = paths["ct"], paths["pet"], paths.get("mask")
    if not headers:
        return PatientFiles(case_id, ct, pet, mask)
    if not (ct.is_dir() and pet.is_dir()):
        raise ValueError(
            "one of ct and pet is a folder of DICOM slices and one is a file; give both of one kind"
        )
    scans = [series for path in dict.fromkeys((ct, pet)) for series in series_of(headers[path])]
    structures = [] if mask is None else series_of(headers[mask])
    if mask is not None and not structures:
        raise ValueError("its mask is not a DICOM object, but its scans are; name an RTSTRUCT or SEG")
    return DicomPatient.of(case_id, scans, dicom, structures)
