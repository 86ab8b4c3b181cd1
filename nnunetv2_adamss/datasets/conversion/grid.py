"""The voxel grid that CT, PET and labels of a patient share. All is in SimpleITK's order and frame: (x, y, z), LPS."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

GridChoice = Literal["iso", "ct", "pet"]
_TOLERANCE_VOXELS = 1e-3  # origins in files are rounded


@dataclass(frozen=True)
class VoxelGrid:
    """Where the voxels of an image lie.

    Args:
        size: voxels, (x, y, z).
        spacing_mm: (x, y, z).
        origin_mm: centre of the first voxel, (x, y, z), LPS.
        direction: cosines of the axes, row by row, nine numbers.
    """

    size: tuple[int, ...]
    spacing_mm: tuple[float, ...]
    origin_mm: tuple[float, ...]
    direction: tuple[float, ...]

    @classmethod
    def of(cls, image: Any) -> VoxelGrid:
        """The grid of an image, or of a reader that has read an image's header."""
        return cls(image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection())

    @property
    def axes(self) -> NDArray[np.float64]:
        """Unit vectors of the axes as columns, ``(3, 3)``."""
        return np.array(self.direction).reshape(3, 3)

    def indices(self, points_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Continuous indices of physical points, ``(n, 3)`` to ``(n, 3)``."""
        return (points_mm - self.origin_mm) @ np.linalg.inv(self.axes).T / self.spacing_mm

    def points(self, indices: NDArray[Any]) -> NDArray[np.float64]:
        """Physical points of continuous indices, ``(n, 3)`` to ``(n, 3)``, mm."""
        return np.asarray(self.origin_mm + (indices * self.spacing_mm) @ self.axes.T)

    def corners(self) -> NDArray[np.float64]:
        """Physical points of the field of view's eight corners, ``(8, 3)``, mm."""
        ends = [(-0.5, n - 0.5) for n in self.size]
        return self.points(np.array(list(itertools.product(*ends))))

    def cropped(self, start: Sequence[int], size: Sequence[int]) -> VoxelGrid:
        """The block of these voxels that begins at an index."""
        origin = self.points(np.array([start]))[0]
        return VoxelGrid(tuple(map(int, size)), self.spacing_mm, tuple(origin.tolist()), self.direction)

    def cropped_to(self, points_mm: NDArray[np.float64]) -> VoxelGrid | None:
        """The voxels whose centres lie in the bounding box, along this grid's axes, of some points.

        Args:
            points_mm: physical points, ``(n, 3)``.

        Returns:
            None if there is no such voxel.
        """
        indices = self.indices(points_mm)
        first = np.ceil(indices.min(axis=0) - _TOLERANCE_VOXELS).clip(min=0).astype(int)
        last = np.floor(indices.max(axis=0) + _TOLERANCE_VOXELS).astype(int)
        size = np.minimum(last + 1, self.size) - first
        return self.cropped(first.tolist(), size.tolist()) if (size > 0).all() else None

    def start_in(self, other: VoxelGrid) -> tuple[int, ...] | None:
        """The index in ``other`` of this grid's first voxel, if this is a block of the other's voxels."""
        alike = np.allclose(self.spacing_mm, other.spacing_mm, rtol=1e-5) and np.allclose(
            self.direction, other.direction, atol=1e-5
        )
        start = other.indices(np.array([self.origin_mm]))[0]
        whole = np.rint(start)
        inside = (whole >= 0).all() and (whole + self.size <= other.size).all()
        if not alike or not inside or np.abs(start - whole).max() > _TOLERANCE_VOXELS:
            return None
        return tuple(whole.astype(int).tolist())

    def describe(self) -> dict[str, list[float]]:
        """The same as plain lists, for a log."""
        return {
            "size_xyz": list(self.size),
            "spacing_xyz_mm": list(self.spacing_mm),
            "origin_xyz_mm": list(self.origin_mm),
            "direction": list(self.direction),
        }

    @classmethod
    def described(cls, description: Mapping[str, Any]) -> VoxelGrid:
        """The grid that ``describe`` described."""
        names = ("size_xyz", "spacing_xyz_mm", "origin_xyz_mm", "direction")
        return cls(*(tuple(description[name]) for name in names))


def common_grid(
    ct: VoxelGrid, pet: VoxelGrid, which: GridChoice, spacing_mm: Sequence[float] = (1.0, 1.0, 1.0)
) -> VoxelGrid:
    """The grid of a patient: what both scans saw, nothing else.

    Args:
        ct: grid of the CT.
        pet: grid of the PET.
        which: ``ct`` and ``pet`` keep that scan's own voxels, where their centres lie in the other's field of view;
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
    """Where the box that both fields of view share begins and ends along the CT's axes."""
    ends_mm = np.array([grid.corners() @ ct.axes for grid in (ct, pet)])  # (scan, corner, axis of the CT)
    return ends_mm.min(axis=1).max(axis=0), ends_mm.max(axis=1).min(axis=0)


def _filled(
    low: NDArray[np.float64], high: NDArray[np.float64], ct: VoxelGrid, spacing: NDArray[np.float64]
) -> VoxelGrid | None:
    size = np.floor((high - low) / spacing + _TOLERANCE_VOXELS).astype(int)
    if (size < 1).any():
        return None
    first = (low + high) / 2 - (size - 1) / 2 * spacing
    return VoxelGrid(
        tuple(size.tolist()), tuple(spacing.tolist()), tuple((ct.axes @ first).tolist()), ct.direction
    )
