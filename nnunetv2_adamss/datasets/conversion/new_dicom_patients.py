"""Convert DICOM of new patients in the same way as the images that a model was trained on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nnunetv2_adamss.datasets.conversion.conversion_log import settings_for_new_patients
from nnunetv2_adamss.datasets.conversion.convert_cohort import ConversionReport, convert_cohort
from nnunetv2_adamss.datasets.conversion.dicom_cohort import read_dicom_cohort
from nnunetv2_adamss.datasets.conversion.dicom_patient import DicomOptions, DicomPatient


@dataclass(frozen=True)
class NewPatients:
    """Converted patients.

    Args:
        images: folder of their images.
        report: of the conversion.
        ct_series: files of each patient's CT series, by ``case_id``.
    """

    images: Path
    report: ConversionReport
    ct_series: Mapping[str, Sequence[Path]]


def convert_new_patients(
    source: Path,
    conversion_log: Path,
    folder: Path,
    on_case_done: Callable[[str], object] = lambda case_id: None,
) -> NewPatients:
    """Convert the CT and PET of every patient; structures are not read.

    Args:
        source: folder of DICOM files.
        conversion_log: of the data set that the model was trained on; its ``settings`` are those of the conversion.
        folder: where ``imagesTs`` is written; patients that an earlier run converted from the same files are kept.
        on_case_done: called with each patient when it is done.

    Raises:
        ValueError: if the log or the folder cannot be used, or no patient can be converted.
        FileExistsError: if the folder holds something else, such as images of other patients.
    """
    settings = settings_for_new_patients(conversion_log)
    cohort = read_dicom_cohort(source, DicomOptions({}, settings.suv))
    try:
        # The images of an earlier run may be of another scan, which was not requested.
        report = convert_cohort(cohort, settings, folder, keep_if_faulty=False, on_case_done=on_case_done)
    except FileExistsError as error:
        raise FileExistsError(
            f"{error} To predict: remove {folder}, or choose another folder with -o."
        ) from error
    ct_series = {
        one.case_id: one.chosen.ct.files
        for one in cohort.patients
        if isinstance(one, DicomPatient) and one.case_id in report.log
    }
    return NewPatients(folder / "imagesTs", report, ct_series)
