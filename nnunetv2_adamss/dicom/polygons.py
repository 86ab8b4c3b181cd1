"""Turn the contours of an RTSTRUCT into a mask: a voxel belongs to a structure if its centre lies inside.

Contours of one structure in one plane are combined by exclusive or, so a contour within another one is a hole. A slice
takes the contours of the nearest plane, up to half the distance between planes away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from skimage.draw import polygon

from nnunetv2_adamss.common.voxel_grid import VoxelGrid

_FLAT = 0.5  # most that a contour may leave its plane, in slices
_SAME_PLANE = 0.1  # slices; planes are at least this far apart
_MOST_GAP_MM = 10.0  # between planes of one lesion
_ROUNDING = 0.01  # slices


def rasterised(
    contours: Mapping[int, Sequence[NDArray[np.float64]]], labels: Mapping[int, int], grid: VoxelGrid
) -> tuple[NDArray[np.uint8], list[str]]:
    """Return the mask on a grid, and warnings.

    Args:
        contours: of each structure, by its number: physical points, ``(n, 3)``, mm.
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
        found = [grid.indices(points) for points in contours.get(number, ())]
        n_contours += len(found)
        n_outside += sum(_is_outside(points, grid) for points in found)
        _fill(inside, found, grid.spacing_mm[2])
        mask[inside] = value
    if not n_contours:
        raise ValueError("its structures have no closed contour")
    if n_outside == n_contours:
        raise ValueError("all its contours lie outside of the scan")
    return mask, [f"{n_outside} of {n_contours} contours lie outside of the scan"] if n_outside else []


def read_polygons(file: Path, numbers: Sequence[int]) -> dict[int, list[NDArray[np.float64]]]:
    """Read the closed contours of some structures of an RTSTRUCT.

    Args:
        file: of the object.
        numbers: of the structures.

    Returns:
        Physical points of each contour, ``(n, 3)``, mm, by the structure's number.

    Raises:
        ValueError: if the file is damaged.
    """
    found: dict[int, list[NDArray[np.float64]]] = {}
    with pydicom.config.disable_value_validation():
        try:
            content = pydicom.dcmread(file, specific_tags=["ROIContourSequence"])
            for item in content.get("ROIContourSequence", ()):
                number = int(item.ReferencedROINumber)
                if number in numbers:
                    found[number] = [
                        _points(one) for one in item.get("ContourSequence", ()) if _is_closed(one)
                    ]
        # pydicom raises errors of many kinds for damaged bytes.
        except Exception as error:
            raise ValueError(f"its structures are damaged ({type(error).__name__})") from None
    return found


def _is_closed(item: Any) -> bool:
    return "CLOSED" in str(item.get("ContourGeometricType", ""))


def _points(item: Any) -> NDArray[np.float64]:
    """Return the points of a contour from its text, many times faster than number by number."""
    element = item.get_item("ContourData")
    text = element.value if isinstance(element.value, bytes) else "\\".join(map(str, element.value)).encode()
    return np.array(text.strip(b" \0").split(b"\\"), np.float64).reshape(-1, 3)


def _is_outside(points: NDArray[np.float64], grid: VoxelGrid) -> bool:
    """Return True if no point of a contour lies in the field of view; ``points``: indices, (x, y, z)."""
    low, high = points.min(axis=0), points.max(axis=0)
    return bool((high < -0.5).any() or (low > np.array(grid.size) - 0.5).any())


def _fill(inside: NDArray[np.bool_], contours: Sequence[NDArray[np.float64]], spacing_mm: float) -> None:
    """Mark the voxels of one structure.

    Args:
        inside: ``(z, y, x)``, changed in place.
        contours: indices, (x, y, z).
        spacing_mm: between slices.
    """
    if not contours:
        return
    if any(np.ptp(points[:, 2]) > _FLAT for points in contours):
        raise ValueError("its contours are not parallel to the slices of the scan that they refer to")
    planes = _planes(contours)
    heights = np.array(list(planes))
    gaps = np.diff(heights)
    near = gaps[gaps * spacing_mm <= _MOST_GAP_MM]  # not those between two lesions
    reach = max(float(np.median(near)), 1.0) / 2 if near.size else 0.5
    for z in range(len(inside)):
        distances = np.abs(heights - z)
        if distances.min() > reach + _ROUNDING:
            continue
        for points in planes[heights[distances.argmin()]]:
            rows, columns = polygon(points[:, 1], points[:, 0], inside.shape[1:])
            inside[z, rows, columns] ^= True


def _planes(contours: Sequence[NDArray[np.float64]]) -> dict[float, list[NDArray[np.float64]]]:
    """Group contours by plane, in order; the key is its height in slices."""
    by_height = sorted(contours, key=lambda points: float(points[:, 2].mean()))
    heights = np.array([points[:, 2].mean() for points in by_height])
    ends = [0, *(np.flatnonzero(np.diff(heights) > _SAME_PLANE) + 1).tolist(), len(heights)]
    return {float(heights[first:end].mean()): by_height[first:end] for first, end in pairwise(ends)}
