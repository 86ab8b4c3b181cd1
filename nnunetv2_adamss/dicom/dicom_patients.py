"""Sort DICOM files by patient, and name the patients as their tables do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.dicom.dicom_series import Header


def by_patient(source: Path, headers: Sequence[Header]) -> dict[str, list[Header]]:
    """Group files by patient.

    A patient is a folder below the source, if most such folders hold a CT and a PET of one PatientID; a folder that
    holds all others is entered. Otherwise the tag PatientID names the patients, with ``_`` in the place of what files
    cannot be called.

    Args:
        source: folder of all files.
        headers: of the files.

    Returns:
        The patients' files by name; the empty name holds files without a PatientID.

    Raises:
        ValueError: if two PatientIDs become one name.
    """
    level = source
    while True:
        folders = _below(level, headers)
        if folders and _are_patients(folders):
            return folders
        if not folders or len(folders) > 1:
            return _by_tag(headers)
        level /= next(iter(folders))


def number_of_ids(headers: Sequence[Header]) -> int:
    """Return how many different values the tag PatientID has."""
    return len({_patient_id(header) for header in headers})


def in_several(patients: Mapping[str, Sequence[Header]]) -> list[list[str]]:
    """Return groups of names that share a PatientID, unless all have the same one, as after anonymisation."""
    names: dict[str, list[str]] = {}
    for name, headers in patients.items():
        if patient_id := _patient_id(headers[0]):
            names.setdefault(patient_id, []).append(name)
    return [sorted(group) for group in names.values() if len(group) > 1] if len(names) > 1 else []


def _below(level: Path, headers: Sequence[Header]) -> dict[str, list[Header]]:
    """Group files by the folder below a level; empty if a file lies there itself."""
    folders: dict[str, list[Header]] = {}
    for header in headers:
        first, *rest = header.file.relative_to(level).parts
        if not rest:
            return {}
        folders.setdefault(first, []).append(header)
    return folders


def _are_patients(folders: Mapping[str, Sequence[Header]]) -> bool:
    complete = [
        number_of_ids(headers) == 1 and {"CT", "PT"} <= {header.tags.get("Modality") for header in headers}
        for headers in folders.values()
    ]
    return 2 * sum(complete) > len(complete)


def _by_tag(headers: Sequence[Header]) -> dict[str, list[Header]]:
    patients: dict[str, list[Header]] = {}
    for header in headers:
        name = re.sub(r"[^\w.-]+", "_", _patient_id(header)).strip("_.-")
        patients.setdefault(name, []).append(header)
    mixed = [name for name, found in patients.items() if len({_patient_id(header) for header in found}) > 1]
    if mixed:
        raise ValueError(
            f"PatientIDs are the same but for punctuation: {listed(mixed)}. Put each patient into a folder of its own, "
            "whose name is used then."
        )
    return patients


def _patient_id(header: Header) -> str:
    return str(header.tags.get("PatientID", "")).strip()
