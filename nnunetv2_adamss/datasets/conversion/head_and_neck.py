"""Find the head and neck in a PET, where the brain takes up more than all else near the top."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from nnunetv2_adamss.common.voxel_grid import VoxelGrid
from nnunetv2_adamss.datasets.conversion.resample import resample_scan

# Left to right, front to back, and downwards from the top of the brain: from skull to upper shoulders.
BOX_XYZ_MM = (200.0, 200.0, 310.0)
_COARSE_MM = 4.0
_LPS = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
_LEAST_BRAIN_ML, _MOST_BRAIN_ML = 400.0, 3000.0  # tumours, hearts and bladders that are as hot are smaller
_LOOK_BELOW_TOP_MM = 500.0
_RAISED_ARMS_MM = 300.0  # may be above the brain; in scans without a head, the liver is further down
_BODY, _BRAIN = 0.02, 0.4  # lowest fractions of the hottest parts' uptake
_HOTTEST_ML = 200.0  # of a brain; few tumours are as large
_LEAST_CONTRAST = 5.0  # to the body's median: brains have ten times as much, livers at most four


def head_and_neck_box(pet: sitk.Image) -> NDArray[np.float64] | None:
    """Return the corners of the box from the top of the brain to the neck.

    Args:
        pet: in any unit; the patient's axes are LPS, so the head is where z is highest.

    Returns:
        Physical points, ``(8, 3)``, mm; None if no brain is found.
    """
    coarse = _coarse(pet)
    uptake = sitk.GetArrayFromImage(coarse)  # (z, y, x), z upwards
    brain = _brain(uptake)
    if brain is None:
        return None
    z, y, x = np.nonzero(brain)
    top = np.array([x.mean(), y.mean(), z.max() + 0.5])
    middle = VoxelGrid.of(coarse).points(top[None])[0] - (0, 0, BOX_XYZ_MM[2] / 2)
    size = tuple(round(side) for side in BOX_XYZ_MM)
    first = tuple((middle - np.array(BOX_XYZ_MM) / 2 + 0.5).tolist())
    return VoxelGrid(size, (1.0, 1.0, 1.0), first, _LPS).corners()


def _coarse(pet: sitk.Image) -> sitk.Image:
    corners = VoxelGrid.of(pet).corners()
    size = np.ceil(np.ptp(corners, axis=0) / _COARSE_MM).astype(int)
    first = corners.min(axis=0) + _COARSE_MM / 2
    grid = VoxelGrid(tuple(size.tolist()), (_COARSE_MM,) * 3, tuple(first.tolist()), _LPS)
    return resample_scan(pet, grid, outside=0.0)


def _brain(uptake: NDArray[np.float32]) -> NDArray[np.bool_] | None:
    """Find the largest hot component near the top, if its size, uptake and height are those of a brain."""
    slices = np.flatnonzero(_body(uptake).any(axis=(1, 2)))
    if not slices.size:
        return None
    top = int(slices[-1])
    lowest = max(0, top - round(_LOOK_BELOW_TOP_MM / _COARSE_MM))
    near_top = uptake[lowest : top + 1]
    hot = near_top > _BRAIN * _reached_by(near_top, _HOTTEST_ML)
    parts = sitk.RelabelComponent(sitk.ConnectedComponent(sitk.GetImageFromArray(hot.astype(np.uint8))))
    largest = sitk.GetArrayFromImage(parts) == 1
    volume_ml = largest.sum() * _COARSE_MM**3 / 1000
    if not _LEAST_BRAIN_ML < volume_ml < _MOST_BRAIN_ML:
        return None
    is_hot = near_top[largest].mean() > _LEAST_CONTRAST * np.median(near_top[_body(near_top)])
    below_top_mm = (top - lowest - np.nonzero(largest)[0].max()) * _COARSE_MM
    if not is_hot or below_top_mm > _RAISED_ARMS_MM:
        return None
    brain = np.zeros(uptake.shape, dtype=bool)
    brain[lowest : top + 1] = largest
    return brain


def _body(uptake: NDArray[np.float32]) -> NDArray[np.bool_]:
    return uptake > max(0.0, _BODY * _reached_by(uptake, 10.0))


def _reached_by(uptake: NDArray[np.float32], volume_ml: float) -> float:
    """Return the uptake that this volume reaches: unlike a percentile, the same in a narrow and a wide image."""
    rank = min(round(volume_ml * 1000 / _COARSE_MM**3), uptake.size)
    return float(np.partition(uptake, -rank, axis=None)[-rank])
