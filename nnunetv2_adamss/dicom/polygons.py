"""Turn the contours of an RTSTRUCT into a mask: a voxel belongs to a structure if its centre lies inside.

A slice takes the contours of the nearest plane, up to half the usual distance between the structure's planes away, and
anywhere between two planes that are up to twice that distance apart: one contour was skipped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray

from nnunetv2_adamss.common.voxel_grid import VoxelGrid
from nnunetv2_adamss.dicom.nesting import by_exclusive_or, nested

_FLAT = 0.5  # most that a contour may leave its plane, in slices
_SAME_PLANE = 0.1  # slices; planes are at least this far apart
_MOST_GAP_MM = 10.0  # between planes of one lesion
_MOST_GAP = 2.0  # usual distances; one contour skipped
_ROUNDING = 0.01  # slices


@dataclass(frozen=True)
class Contours:
    """The closed contours of one structure.

    Args:
        points: of each contour, ``(n, 3)``.
        by_xor: whether those of a plane are combined by exclusive or, as the type CLOSEDPLANAR_XOR says; otherwise they
            are joined, with holes.
    """

    points: Sequence[NDArray[np.float64]] = ()
    by_xor: bool = False


def rasterised(
    contours: Mapping[int, Contours], labels: Mapping[int, int], grid: VoxelGrid
) -> tuple[NDArray[np.uint8], list[str]]:
    """Return the mask on a grid, and warnings.

    Args:
        contours: of each structure, by its number; physical points, mm.
        labels: value of each structure; where two overlap, the later one counts.
        grid: of the scan that the contours were drawn on.

    Returns:
        ``(z, y, x)``, and a sentence for contours that lie outside.

    Raises:
        ValueError: if contours are not parallel to the slices, or all lie outside of the grid.
    """
    mask = np.zeros(grid.size[::-1], np.uint8)
    n_outside = n_contours = 0
    for number, value in labels.items():
        inside = np.zeros(mask.shape, bool)
        of_structure = contours.get(number, Contours())
        found = Contours([grid.indices(points) for points in of_structure.points], of_structure.by_xor)
        n_contours += len(found.points)
        n_outside += sum(_is_outside(points, grid) for points in found.points)
        _fill(inside, found, grid.spacing_mm[2])
        mask[inside] = value
    if not n_contours:
        raise ValueError("its structures have no closed contour")
    if n_outside == n_contours:
        raise ValueError("all its contours lie outside of the scan")
    return mask, [f"{n_outside} of {n_contours} contours lie outside of the scan"] if n_outside else []


def read_polygons(file: Path, numbers: Sequence[int]) -> dict[int, Contours]:
    """Read the closed contours of some structures of an RTSTRUCT.

    Args:
        file: of the object.
        numbers: of the structures.

    Returns:
        Contours by the structure's number; physical points, mm.

    Raises:
        ValueError: if the file is damaged.
    """
    found: dict[int, Contours] = {}
    with pydicom.config.disable_value_validation():
        try:
            content = pydicom.dcmread(file, specific_tags=["ROIContourSequence"])
            for item in content.get("ROIContourSequence", ()):
                number = int(item.ReferencedROINumber)
                if number in numbers:
                    found[number] = _contours(item.get("ContourSequence", ()))
        # pydicom raises errors of many kinds for damaged bytes.
        except Exception as error:
            raise ValueError(f"its structures are damaged ({type(error).__name__})") from None
    return found


def _contours(items: Sequence[Any]) -> Contours:
    kinds = [str(item.get("ContourGeometricType", "")) for item in items]
    closed = [_points(item) for item, kind in zip(items, kinds, strict=True) if "CLOSED" in kind]
    return Contours(closed, "CLOSEDPLANAR_XOR" in kinds)


def _points(item: Any) -> NDArray[np.float64]:
    """Return the points of a contour from its text, many times faster than number by number."""
    element = item.get_item("ContourData")
    text = element.value if isinstance(element.value, bytes) else "\\".join(map(str, element.value)).encode()
    return np.array(text.strip(b" \0").split(b"\\"), np.float64).reshape(-1, 3)


def _is_outside(points: NDArray[np.float64], grid: VoxelGrid) -> bool:
    """Return True if no point of a contour lies in the field of view; ``points``: indices, (x, y, z)."""
    low, high = points.min(axis=0), points.max(axis=0)
    return bool((high < -0.5).any() or (low > np.array(grid.size) - 0.5).any())


def _fill(inside: NDArray[np.bool_], contours: Contours, spacing_mm: float) -> None:
    """Mark the voxels of one structure.

    Args:
        inside: ``(z, y, x)``, changed in place.
        contours: indices, (x, y, z).
        spacing_mm: between slices.
    """
    if not contours.points:
        return
    if any(np.ptp(points[:, 2]) > _FLAT for points in contours.points):
        raise ValueError("its contours are not parallel to the slices of the scan that they refer to")
    planes = _planes(contours.points)
    combined = by_exclusive_or if contours.by_xor else nested
    masks = [combined(of_plane, inside.shape[1:]) for of_plane in planes.values()]
    heights = np.array(list(planes))
    gaps = np.diff(heights)
    is_near = gaps * spacing_mm <= _MOST_GAP_MM  # not those between two lesions
    usual = float(np.median(gaps[is_near])) if is_near.any() else 1.0
    overlap = np.array([(lower & upper).any() for lower, upper in pairwise(masks)], bool)
    is_filled = is_near & overlap & (gaps <= _MOST_GAP * usual + _ROUNDING)
    for z in range(len(inside)):
        distances = np.abs(heights - z)
        next_plane = int(np.searchsorted(heights, z))
        is_between = 0 < next_plane < len(heights) and is_filled[next_plane - 1]
        if is_between or distances.min() <= max(usual, 1.0) / 2 + _ROUNDING:
            inside[z] = masks[distances.argmin()]


def _planes(contours: Sequence[NDArray[np.float64]]) -> dict[float, list[NDArray[np.float64]]]:
    """Group contours by plane, in order; the key is its height in slices."""
    by_height = sorted(contours, key=lambda points: float(points[:, 2].mean()))
    heights = np.array([points[:, 2].mean() for points in by_height])
    ends = [0, *(np.flatnonzero(np.diff(heights) > _SAME_PLANE) + 1).tolist(), len(heights)]
    return {float(heights[first:end].mean()): by_height[first:end] for first, end in pairwise(ends)}
