"""Headers of a synthetic CT series, written slice by slice; written masks refer to them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

NAME, PATIENT_ID, BIRTH_DATE, STUDY_DATE = "Müßig^Änne", "PID-4711", "19520229", "20190817"


@dataclass
class CtWriter:
    """Writes CT slices; each has the tags of ``tags`` beside those of its place."""

    shape: tuple[int, int] = (24, 30)  # rows, columns
    positions_mm: Sequence[float] = tuple(3.0 * z for z in range(10))  # along the normal
    spacing_mm: tuple[float, float] = (2.0, 1.5)  # between rows, between columns
    orientation: tuple[float, ...] = (1, 0, 0, 0, 1, 0)
    origin_mm: tuple[float, float, float] = (-20.0, 5.0, -100.0)
    tilt: float = 0.0  # mm along the columns for each mm along the normal, as of a tilted gantry
    tags: dict[str, Any] = field(default_factory=dict)

    def write(self, folder: Path) -> list[Path]:
        """Return the files of the slices, in the order of their positions; their names are in another order."""
        folder.mkdir(parents=True, exist_ok=True)
        series = {name: generate_uid() for name in ("Study", "Series")}
        frame = generate_uid()
        files = []
        for number, position in enumerate(self.positions_mm):
            made = Dataset()
            made.file_meta = FileMetaDataset()
            made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
            made.SpecificCharacterSet = "ISO_IR 100"
            made.PatientName, made.PatientID = NAME, PATIENT_ID
            made.PatientBirthDate, made.PatientSex = BIRTH_DATE, "F"
            made.StudyDate, made.StudyTime, made.StudyID = STUDY_DATE, "101112", "S1"
            made.AccessionNumber, made.ReferringPhysicianName = "A-99", "Weiß^Jörg"
            made.StudyInstanceUID, made.SeriesInstanceUID = series["Study"], series["Series"]
            made.FrameOfReferenceUID = frame
            made.SOPClassUID, made.SOPInstanceUID, made.Modality = CTImageStorage, generate_uid(), "CT"
            made.Rows, made.Columns = self.shape
            made.PixelSpacing = list(self.spacing_mm)
            made.ImageOrientationPatient = [round(cosine, 10) for cosine in self.orientation]
            made.ImagePositionPatient = [round(mm, 6) for mm in self.position(position)]
            for keyword, value in self.tags.items():
                setattr(made, keyword, value)
            files.append(folder / f"{(7 * number) % 997:03d}")
            made.save_as(files[-1], enforce_file_format=True)
        return files

    @property
    def normal(self) -> np.ndarray:
        return np.cross(self.orientation[:3], self.orientation[3:])

    def position(self, along_normal_mm: float) -> np.ndarray:
        return np.array(self.origin_mm) + along_normal_mm * (
            self.normal + self.tilt * np.array(self.orientation[3:])
        )

    @property
    def affine(self) -> np.ndarray:
        """NIfTI's matrix of the series' voxels (column, row, slice), if the slices are evenly spaced."""
        lps = np.eye(4)
        lps[:3, 0] = np.array(self.orientation[:3]) * self.spacing_mm[1]
        lps[:3, 1] = np.array(self.orientation[3:]) * self.spacing_mm[0]
        lps[:3, 2] = self.normal * (self.positions_mm[1] - self.positions_mm[0])
        lps[:3, 3] = self.position(self.positions_mm[0])
        return np.diag([-1.0, -1.0, 1.0, 1.0]) @ lps
