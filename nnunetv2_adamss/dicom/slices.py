"""Read the slices of a series as one volume: sorted, complete, each with its own rescale slope."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import SimpleITK as sitk
from numpy.typing import NDArray

from nnunetv2_adamss.common.voxel_grid import VoxelGrid
from nnunetv2_adamss.dicom.dicom_series import Series
from nnunetv2_adamss.dicom.tags import read_tags, tag_name

PLACE_TAGS = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "Rows", "Columns")
_COSINE_TOLERANCE = 1e-3
# Of the distance between slices. Positions in headers are rounded; where a slice is missing it is off by 1.
_GAP_TOLERANCE = 0.1
# Of the distance between slices, over the whole stack: a slice further off would be nearer to its neighbour's place.
# Rounded positions do not add up to that, since the mean distance carries no rounding of single ones.
_DRIFT_TOLERANCE = 0.5
# In voxels within a slice, over the whole stack: a gantry's tilt shifts every slice further.
_SHIFT_TOLERANCE = 0.1


@dataclass(frozen=True)
class SliceStack:
    """The slices of a series in order, and where they lie.

    Args:
        files: from first to last along the normal of the slices.
        tags: of each slice, in the same order.
        grid: of the volume.
    """

    files: tuple[Path, ...]
    tags: tuple[Mapping[Any, Any], ...]
    grid: VoxelGrid


def read_stack(series: Series, keywords: Sequence[str | tuple[int, int]] = ()) -> SliceStack:
    """Read the headers of all slices and put them in order.

    Args:
        series: of CT or PET slices.
        keywords: further tags to read.

    Raises:
        ValueError: if slices are missing, or do not form a volume.
    """
    tags = [read_tags(file, (*PLACE_TAGS, *keywords)) for file in series.files]
    for keyword in PLACE_TAGS:
        if any(keyword not in one for one in tags):
            raise ValueError(f"{tag_name(keyword)} is missing in a slice")
    first = tags[0]
    for keyword in PLACE_TAGS[1:]:
        if not all(np.allclose(one[keyword], first[keyword], atol=_COSINE_TOLERANCE) for one in tags):
            raise ValueError(f"slices differ in {tag_name(keyword)}, so they are no single volume")
    x_axis, y_axis = np.array(first["ImageOrientationPatient"], float).reshape(2, 3)
    normal = np.cross(x_axis, y_axis)
    positions = np.array([one["ImagePositionPatient"] for one in tags], float)
    order = np.argsort(positions @ normal, kind="stable")
    spacing = _slice_spacing(positions[order], normal)
    row_mm, column_mm = map(float, first["PixelSpacing"])
    grid = VoxelGrid(
        (int(first["Columns"]), int(first["Rows"]), len(tags)),
        (column_mm, row_mm, spacing),
        tuple(positions[order[0]].tolist()),
        tuple(np.column_stack([x_axis, y_axis, normal]).ravel().tolist()),
    )
    if not grid.is_finite:
        raise ValueError(f"its slices have an impossible geometry: {grid}")
    _check_shift(positions[order], grid)
    return SliceStack(tuple(series.files[i] for i in order), tuple(tags[i] for i in order), grid)


def read_volume(stack: SliceStack) -> sitk.Image:
    """Read the voxels, after each slice's own rescale slope and intercept, float32.

    Raises:
        ValueError: if pixels are compressed in a way that cannot be read, or damaged.
    """
    reader = sitk.ImageSeriesReader()
    reader.SetImageIO("GDCMImageIO")
    reader.SetOutputPixelType(sitk.sitkFloat32)
    reader.SetFileNames([str(file) for file in stack.files])
    try:
        with _no_warnings():
            image = reader.Execute()
    except RuntimeError:
        raise ValueError(_unreadable(stack.files)) from None
    if VoxelGrid.of(image).size != stack.grid.size:
        raise ValueError(f"its pixels form {VoxelGrid.of(image).size} voxels, not {stack.grid.size}")
    image.SetSpacing(stack.grid.spacing_mm)
    image.SetOrigin(stack.grid.origin_mm)
    image.SetDirection(stack.grid.direction)
    return image


def _slice_spacing(positions: NDArray[np.float64], normal: NDArray[np.float64]) -> float:
    """Return the distance between sorted slices.

    Raises:
        ValueError: if distances differ, or small differences add up.
    """
    heights = positions @ normal
    gaps = np.diff(heights)
    spacing = float(np.median(gaps))
    if not (gaps > _GAP_TOLERANCE * spacing).all():
        raise ValueError(f"{int((gaps <= _GAP_TOLERANCE * spacing).sum()) + 1} slices lie in one place")
    wrong = np.abs(gaps - spacing) > _GAP_TOLERANCE * spacing
    if wrong.any():
        raise ValueError(
            f"slices are missing: {int(wrong.sum())} of {len(gaps)} distances between slices are not {spacing:.4g} mm, "
            f"but from {gaps[wrong].min():.4g} to {gaps[wrong].max():.4g} mm"
        )
    mean = float(gaps.mean())
    drift = float(np.abs(heights - heights[0] - mean * np.arange(len(heights))).max())
    if drift > _DRIFT_TOLERANCE * mean:
        raise ValueError(
            f"slices are unevenly spaced: at distances from {gaps.min():.4g} to {gaps.max():.4g} mm, one lies "
            f"{drift:.4g} mm off an even spacing; resample it first"
        )
    return mean


def _check_shift(positions: NDArray[np.float64], grid: VoxelGrid) -> None:
    in_slice = grid.indices(positions)[:, :2]
    if np.abs(in_slice).max() > _SHIFT_TOLERANCE:
        raise ValueError(
            "its slices are shifted against each other, as with a tilted gantry; resample it first"
        )


def _unreadable(files: Sequence[Path]) -> str:
    """Return why pixels cannot be read, by the ways in which they are compressed."""
    names = {_compression(file) for file in files} - {""}
    if names:
        return (
            f"its pixels cannot be read; they are compressed ({', '.join(sorted(names))}), so decompress them first, "
            "for example with gdcmconv --raw"
        )
    return "its pixels cannot be read; a file is cut off or damaged"


def _compression(file: Path) -> str:
    syntax = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=[]).file_meta.TransferSyntaxUID
    return syntax.name if syntax.is_compressed else ""


@contextmanager
def _no_warnings() -> Iterator[None]:
    """Keep SimpleITK from printing warnings, which hold paths and values."""
    shown = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(shown)
