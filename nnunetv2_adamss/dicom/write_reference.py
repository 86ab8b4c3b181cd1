"""The CT series that written objects refer to: its slices, its patient's tags, and a mask on its pixels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.datadict import tag_for_keyword
from pydicom.errors import InvalidDicomError
from pydicom.tag import Tag
from pydicom.uid import CTImageStorage
from scipy.ndimage import find_objects

from nnunetv2_adamss.common.images import Image
from nnunetv2_adamss.common.voxel_grid import VoxelGrid

# Tags of patient and study that every object must have, even if they are empty, and those that it has if the CT does.
PATIENT_TAGS = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate", "StudyTime",
    "StudyID", "AccessionNumber", "ReferringPhysicianName",
)  # fmt: skip
_PATIENT_TAGS_IF_KNOWN = (
    "IssuerOfPatientID", "PatientIdentityRemoved", "DeidentificationMethod", "DeidentificationMethodCodeSequence",
    "StudyDescription",
)  # fmt: skip
_SLICE_TAGS = (
    "SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID", "Rows", "Columns",
    "PixelSpacing", "ImageOrientationPatient", "ImagePositionPatient",
)  # fmt: skip
_SAME_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")
_TOLERANCE = 1e-4  # of spacing in mm and of cosines, which some scanners round differently in each slice
_SAME_PLACE_MM = 1e-3


class CtSlice(NamedTuple):
    """A slice without its pixels.

    Attributes:
        header: tags that say which slice it is and where it lies; none of the patient.
        grid: of its pixels, one voxel thick.
    """

    header: Dataset
    grid: VoxelGrid


@dataclass(frozen=True, eq=False)
class CtSeries:
    """A CT series.

    Args:
        patient: tags of patient and study, for objects of the same study; text in UTF-8.
        slices: in the order of their positions; distances may differ.
    """

    patient: Dataset
    slices: tuple[CtSlice, ...]

    @classmethod
    def read(cls, files: Iterable[Path]) -> CtSeries:
        """Read the headers of the CT slices among some files; other files and modalities are left out.

        Raises:
            ValueError: unless they are one series of single slices in one frame of reference, each in another place.
        """
        headers = [header for file in files if (header := _ct_header(file)) is not None]
        slices = [_slice(header) for header in headers]
        if len(slices) < 2:
            raise ValueError(f"a CT series has several slices, but {len(slices)} CT slice(s) were found")
        _check_one_series(slices)
        normal = slices[0].grid.axes[:, 2]
        slices.sort(key=lambda one: float(normal @ one.grid.origin_mm))
        series = cls(_patient(headers[0]), tuple(slices))
        if np.diff(series.heights_mm).min() < _SAME_PLACE_MM:
            raise ValueError("two slices of its CT series lie in the same place")
        return series

    @property
    def normal(self) -> NDArray[np.float64]:
        """The direction in which slices follow each other, ``(3,)``."""
        return self.slices[0].grid.axes[:, 2]

    @property
    def heights_mm(self) -> NDArray[np.float64]:
        """Positions of the slices along the normal, rising."""
        return np.array([self.normal @ one.grid.origin_mm for one in self.slices])

    @property
    def thickness_mm(self) -> float:
        """The usual distance between slices."""
        return float(np.median(np.diff(self.heights_mm)))

    @property
    def frame_of_reference_uid(self) -> str:
        """The identifier of the space in which positions are given."""
        return str(self.slices[0].header.FrameOfReferenceUID)

    def labels_of(self, mask: Image) -> NDArray[np.uint8]:
        """Labels of a mask's nearest voxels at the pixels of all slices, ``(slices, rows, columns)``; 0 beside it.

        Args:
            mask: on any grid in the series' frame of reference.

        Raises:
            ValueError: if the mask lies elsewhere, or a part of its tumour does.
        """
        corners = np.concatenate([one.grid.corners() for one in self.slices])
        if mask.grid.cropped_to(corners) is None:
            raise ValueError(f"its mask does not overlap its CT series: the mask is {mask.grid}")
        tumour = _tumour_of(mask)
        shape = (len(self.slices), *self.slices[0].grid.size[1::-1])
        labels = np.zeros(shape, np.uint8)
        if tumour is None:
            return labels
        self._check_reach(tumour.grid)
        for one, of_slice in zip(self.slices, labels, strict=True):
            pixels = one.grid.cropped_to(tumour.grid.corners())
            if pixels is not None:
                column, row, _ = np.rint(one.grid.indices(np.array([pixels.origin_mm]))[0]).astype(int)
                of_slice[row : row + pixels.size[1], column : column + pixels.size[0]] = _labels_at(
                    pixels, tumour
                )
        if not labels.any():
            raise ValueError("no pixel of its CT series lies in the tumour of its mask")
        return labels

    def _check_reach(self, tumour: VoxelGrid) -> None:
        """Raise ValueError if slices end before the tumour does, as in a series of another part of the body."""
        heights_mm, margin_mm = self.heights_mm, self.thickness_mm + max(tumour.spacing_mm)
        reach_mm = tumour.corners() @ self.normal
        if reach_mm.min() < heights_mm[0] - margin_mm or reach_mm.max() > heights_mm[-1] + margin_mm:
            raise ValueError(
                f"its tumour, from {reach_mm.min():.4g} to {reach_mm.max():.4g} mm, reaches beyond the slices of its "
                f"CT series, from {heights_mm[0]:.4g} to {heights_mm[-1]:.4g} mm"
            )


@contextmanager
def without_quotes(fault: str) -> Iterator[None]:
    """Raise ValueError with words of our own in place of a DICOM library's, which may quote a patient's tags."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise ValueError(f"{fault} ({type(error).__name__})") from None


def _ct_header(file: Path) -> Dataset | None:
    """Read the tags that are needed; None if the file is not a CT."""
    with without_quotes("a file of its CT series is damaged"):
        try:
            tags: list[Any] = ["Modality", *PATIENT_TAGS, *_PATIENT_TAGS_IF_KNOWN, *_SLICE_TAGS]
            header = dcmread(file, stop_before_pixels=True, specific_tags=tags)
        except InvalidDicomError:
            return None
        header.decode()
        return header if header.get("Modality") == "CT" else None


def _slice(header: Dataset) -> CtSlice:
    if header.get("SOPClassUID", CTImageStorage) != CTImageStorage:
        raise ValueError("its CT series is not one of single slices (CT Image Storage)")
    with without_quotes("a slice of its CT series does not say where it lies"):
        absent = [keyword for keyword in _SLICE_TAGS if not header.get(keyword)]
        grid = None if absent else _grid(header)
    if grid is None:
        named = ", ".join(f"{keyword} {Tag(tag_for_keyword(keyword) or 0)}" for keyword in absent)
        raise ValueError(f"a slice of its CT series has no {named}")
    if not grid.is_finite or abs(np.linalg.det(grid.axes) - 1) > _TOLERANCE:
        raise ValueError(f"a slice of its CT series has an impossible geometry: {grid}")
    return CtSlice(_only(header, _SLICE_TAGS), grid)


def _grid(header: Dataset) -> VoxelGrid:
    between_rows_mm, between_columns_mm = map(float, header.PixelSpacing)
    along_row, along_column = np.array(header.ImageOrientationPatient, dtype=float).reshape(2, 3)
    axes = np.column_stack([along_row, along_column, np.cross(along_row, along_column)])
    return VoxelGrid(
        (int(header.Columns), int(header.Rows), 1),
        (between_columns_mm, between_rows_mm, 1.0),
        tuple(map(float, header.ImagePositionPatient)),
        tuple(axes.ravel().tolist()),
    )


def _check_one_series(slices: Sequence[CtSlice]) -> None:
    for keyword in _SAME_UIDS:
        n_values = len({one.header[keyword].value for one in slices})
        if n_values > 1:
            raise ValueError(f"its CT slices are not one series: {n_values} different {keyword}")
    first = slices[0].grid
    for grid in (one.grid for one in slices):
        differences = np.subtract((*grid.spacing_mm, *grid.direction), (*first.spacing_mm, *first.direction))
        if grid.size != first.size or np.abs(differences).max() > _TOLERANCE:
            raise ValueError("its CT slices differ in size, pixel spacing or orientation")


def _patient(header: Dataset) -> Dataset:
    patient = _only(header, [*PATIENT_TAGS, *_PATIENT_TAGS_IF_KNOWN])
    for keyword in PATIENT_TAGS:
        if keyword not in patient:
            setattr(patient, keyword, None)
    patient.SpecificCharacterSet = "ISO_IR 192"
    return patient


def _only(header: Dataset, keywords: Iterable[str]) -> Dataset:
    chosen = Dataset()
    for keyword in keywords:
        if keyword in header:
            chosen.add(header[keyword])
    return chosen


def _tumour_of(mask: Image) -> Image | None:
    """Cut out the box of a mask's tumour; None if it has none."""
    boxes: list[Any] = find_objects((mask.voxels > 0).astype(np.uint8))
    if not boxes:
        return None
    box = boxes[0]
    voxels = mask.voxels[box]
    return Image(voxels, mask.grid.cropped([side.start for side in reversed(box)], voxels.shape[::-1]))


def _labels_at(pixels: VoxelGrid, tumour: Image) -> NDArray[np.uint8]:
    """Labels of the nearest voxels at the pixels of one slice, ``(rows, columns)``; 0 beside the tumour's box."""
    start, right, down = tumour.grid.indices(pixels.points(np.array([(0, 0, 0), (1, 0, 0), (0, 1, 0)])))
    n_columns, n_rows, _ = pixels.size
    columns, rows = np.arange(n_columns), np.arange(n_rows)[:, None]
    nearest = [
        np.floor(s + (r - s) * columns + (d - s) * rows + 0.5).astype(int)
        for s, r, d in zip(start, right, down, strict=True)
    ]
    is_inside = [(at >= 0) & (at < side) for at, side in zip(nearest, tumour.grid.size, strict=True)]
    inside = np.logical_and.reduce(is_inside)
    labels = np.zeros((n_rows, n_columns), np.uint8)
    x, y, z = (at[inside] for at in nearest)
    labels[inside] = tumour.voxels[z, y, x]
    return labels
