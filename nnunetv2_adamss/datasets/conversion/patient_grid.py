"""Common voxel grid of CT, PET and labels of a patient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nnunetv2_adamss.common.voxel_grid import WHOLE_VOXEL_TOLERANCE, VoxelGrid

GridChoice = Literal["iso", "ct", "pet"]


def common_grid(
    ct: VoxelGrid, pet: VoxelGrid, which: GridChoice, spacing_mm: Sequence[float] = (1.0, 1.0, 1.0)
) -> VoxelGrid:
    """Return the grid that covers exactly the overlap of both scans.

    Args:
        ct: grid of the CT.
        pet: grid of the PET.
        which: ``ct`` and ``pet`` keep that scan's voxels whose centres lie in the other's field of view;
            ``iso`` fills the overlap with voxels of ``spacing_mm`` along the CT's axes.
        spacing_mm: (x, y, z), for ``iso``.

    Raises:
        ValueError: if the two fields of view do not overlap, or by less than a voxel.
    """
    low, high = _overlap_mm(ct, pet)
    if (high <= low).any():
        raise ValueError("the fields of view of CT and PET do not overlap")
    own, other = (pet, ct) if which == "pet" else (ct, pet)
    grid = _filled(low, high, ct, np.array(spacing_mm)) if which == "iso" else own.cropped_to(other.corners())
    if grid is None:
        sides = " x ".join(f"{side:.3g}" for side in high - low)
        raise ValueError(f"what both CT and PET saw, {sides} mm, is smaller than a voxel")
    return grid


def _overlap_mm(ct: VoxelGrid, pet: VoxelGrid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both ends, along the CT's axes, of the box that both fields of view share."""
    ends_mm = np.array([grid.corners() @ ct.axes for grid in (ct, pet)])  # (scan, corner, axis of the CT)
    return ends_mm.min(axis=1).max(axis=0), ends_mm.max(axis=1).min(axis=0)


def _filled(
    low: NDArray[np.float64], high: NDArray[np.float64], ct: VoxelGrid, spacing: NDArray[np.float64]
) -> VoxelGrid | None:
    size = np.floor((high - low) / spacing + WHOLE_VOXEL_TOLERANCE).astype(int)
    if (size < 1).any():
        return None
    first = (low + high) / 2 - (size - 1) / 2 * spacing
    return VoxelGrid(
        tuple(size.tolist()), tuple(spacing.tolist()), tuple((ct.axes @ first).tolist()), ct.direction
    )
