"""Written objects opened again, without the code that wrote them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.path import Path as Polygon
from pydicom import Dataset, dcmread


def _numbers(files: Sequence[Path]) -> Mapping[str, int]:
    """The place of each slice in a series, by its identifier."""
    return {dcmread(file).SOPInstanceUID: number for number, file in enumerate(files)}


def masks_of_segmentation(file: Path, slices: Sequence[Path]) -> dict[str, np.ndarray]:
    """The mask of each segment, ``(slices, rows, columns)``, from the bits of the pixel data."""
    opened = dcmread(file)
    number_of = _numbers(slices)
    bits = np.unpackbits(np.frombuffer(opened.PixelData, np.uint8), bitorder="little")
    frames = bits[: int(opened.NumberOfFrames) * opened.Rows * opened.Columns].reshape(
        -1, opened.Rows, opened.Columns
    )
    names = {item.SegmentNumber: item.SegmentLabel for item in opened.SegmentSequence}
    found = {name: np.zeros((len(slices), *frames.shape[1:]), bool) for name in names.values()}
    for item, frame in zip(opened.PerFrameFunctionalGroupsSequence, frames, strict=True):
        source = item.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
        # In common for all frames if there is one segment.
        (common,) = opened.SharedFunctionalGroupsSequence
        identification = item.get("SegmentIdentificationSequence") or common.SegmentIdentificationSequence
        segment = identification[0].ReferencedSegmentNumber
        found[names[segment]][number_of[source]] |= frame.astype(bool)
    return found


def masks_of_structure_set(file: Path, slices: Sequence[Path]) -> dict[str, np.ndarray]:
    """The mask of each region, ``(slices, rows, columns)``: the pixels whose centres lie in its polygons."""
    opened = dcmread(file)
    headers, number_of = [dcmread(slice_file) for slice_file in slices], _numbers(slices)
    names = {item.ROINumber: item.ROIName for item in opened.StructureSetROISequence}
    found = {}
    for region in opened.ROIContourSequence:
        mask = np.zeros((len(slices), headers[0].Rows, headers[0].Columns), bool)
        for contour in region.get("ContourSequence", []):
            number = number_of[contour.ContourImageSequence[0].ReferencedSOPInstanceUID]
            mask[number] |= _filled(np.array(contour.ContourData, float).reshape(-1, 3), headers[number])
        found[names[region.ReferencedROINumber]] = mask
    return found


def _filled(points_mm: np.ndarray, header: Dataset) -> np.ndarray:
    along_row, along_column = np.array(header.ImageOrientationPatient, float).reshape(2, 3)
    from_origin = points_mm - np.array(header.ImagePositionPatient, float)
    assert np.abs(from_origin @ np.cross(along_row, along_column)).max() < 0.01  # in the plane of the slice
    column = from_origin @ along_row / header.PixelSpacing[1]
    row = from_origin @ along_column / header.PixelSpacing[0]
    centres = np.stack(np.meshgrid(range(header.Columns), range(header.Rows)), axis=-1).reshape(-1, 2)
    closed = np.column_stack([column, row])[[*range(len(column)), 0]]
    return Polygon(closed).contains_points(centres).reshape(header.Rows, header.Columns)
