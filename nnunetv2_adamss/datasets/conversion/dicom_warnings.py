"""Warnings on the DICOM files and scans of a cohort."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.datasets.conversion.dicom_patient import DicomPatient
from nnunetv2_adamss.datasets.conversion.scans import PatientSource
from nnunetv2_adamss.dicom.attenuation import is_attenuation_corrected


def about_damaged_files(n_damaged: int, case_ids: Sequence[str] = ()) -> list[str]:
    """Return a sentence on files that are left out, with the patients if they are known; none if there are none."""
    if not n_damaged:
        return []
    of = f" of {listed(case_ids)}" if case_ids else ""
    return [
        f"{n_damaged} DICOM file(s){of} are empty or have damaged headers and are left out; at the end of a series a "
        "missing slice cannot be noticed, so export them again"
    ]


def about_attenuation(patients: Iterable[PatientSource]) -> list[str]:
    """Return a sentence on patients whose PET may not be corrected for attenuation; none if there are none."""
    unsaid = [
        patient.case_id
        for patient in patients
        if isinstance(patient, DicomPatient) and is_attenuation_corrected(patient.chosen.pet.tags) is None
    ]
    if not unsaid:
        return []
    return [
        f"no tag says that the PET of {listed(unsaid)} is corrected for attenuation; it is used as if it were, so make "
        "sure that it is"
    ]
