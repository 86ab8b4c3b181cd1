"""A small synthetic cohort of DICOM studies, and the command that converts it."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom.dataset import Dataset

from nnunetv2_adamss.cli.convert_dataset import main
from tests.dicom.writer import Study, box

# CT and PET see the same 48 x 48 x 40 mm; the tumour is a block of 16 x 16 x 8 mm, SUV 9 in a body of SUV 1.
CT_SPACING, CT_ORIGIN, CT_SHAPE = (2.0, 2.0, 4.0), (-23.0, -23.0, -18.0), (10, 24, 24)
PET_SPACING, PET_ORIGIN, PET_SHAPE = (4.0, 4.0, 4.0), (-22.0, -22.0, -18.0), (10, 12, 12)
TUMOUR_MM = ((-8.0, 8.0), (-8.0, 8.0))
TUMOUR_SLICES = (4, 5)
TUMOUR_SUV, BODY_SUV = 9.0, 1.0
# Of the writer's patient: 70 kg, 350 MBq an hour before the scan.
SUV_PER_BQML = 70_000 / (350e6 * 0.5 ** (3600 / 6586.2))


@dataclass(frozen=True)
class Written:
    """What was written of a patient."""

    study: Study
    ct: Sequence[Dataset]
    pet: Sequence[Dataset]


def write_patient(
    folder: Path,
    patient_id: str = "P1",
    structures: Sequence[str] = ("GTVp",),
    *,
    ct: Mapping[str, Any] | None = None,
    pet: Mapping[str, Any] | None = None,
    tags: Mapping[str, Any] | None = None,
) -> Written:
    """Write CT, PET and an RTSTRUCT with the same contours under each name; no RTSTRUCT without names."""
    study = Study(folder, patient_id, tags=tags or {})
    hu = np.full(CT_SHAPE, 20.0)
    hu[:, 0] = -1000
    uptake = np.full(PET_SHAPE, BODY_SUV)
    uptake[list(TUMOUR_SLICES), 4:8, 4:8] = TUMOUR_SUV
    written_ct = study.ct(hu, CT_SPACING, CT_ORIGIN, **(ct or {}))
    written_pet = study.pet(uptake / SUV_PER_BQML, PET_SPACING, PET_ORIGIN, **(pet or {}))
    if structures:
        study.structures({name: tumour_contours() for name in structures}, written_ct)
    return Written(study, written_ct, written_pet)


def tumour_contours() -> list[list[tuple[float, float, float]]]:
    """One rectangle for each of the tumour's slices."""
    return [box(*TUMOUR_MM, CT_ORIGIN[2] + CT_SPACING[2] * index) for index in TUMOUR_SLICES]


@dataclass(frozen=True)
class DicomCohort:
    """Studies below ``source``, to be converted into ``raw``."""

    source: Path
    raw: Path
    capsys: pytest.CaptureFixture[str]

    @property
    def folder(self) -> Path:
        """Of the data set."""
        return self.raw / "Dataset009_dicom"

    def convert(self, *options: str, file_format: str = "dicom", source: Path | None = None) -> int:
        """The command's exit code."""
        common = ["-d", "9", "--name", "dicom", "-o", str(self.raw), "-np", "1", "--grid", "ct"]
        return main([file_format, str(source or self.source), *common, *options])

    def error(self) -> str:
        """What the command has said on stderr since this was last asked."""
        return self.capsys.readouterr().err

    def image(self, name: str) -> np.ndarray:
        """The voxels of a converted image."""
        return sitk.GetArrayFromImage(sitk.ReadImage(str(self.folder / name)))

    def forget(self) -> None:
        """Remove what was converted."""
        shutil.rmtree(self.raw, ignore_errors=True)
