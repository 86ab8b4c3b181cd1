"""Voxel grids: the place of an image's voxels, compared between images. SimpleITK's frame: (x, y, z), LPS, mm."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# In voxels, at any corner of an image: coordinates in headers are rounded. docs/images_and_masks.md states it.
GRID_TOLERANCE = 0.05
# The same for what must begin and end with whole voxels.
WHOLE_VOXEL_TOLERANCE = 1e-3
_ROUNDED_COSINES = 2e-4
# NIfTI's millimetres run to the right and to the front, SimpleITK's to the left and to the back.
_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


class AxisChange(NamedTuple):
    """A reordering and flipping of an image's axes into those of another; no voxel changes its value.

    Attributes:
        order: own axis that becomes each axis of the other, in the order x, y, z.
        is_flipped: whether it then runs the other way.
    """

    order: tuple[int, ...]
    is_flipped: tuple[bool, ...]

    @property
    def is_identity(self) -> bool:
        """True if the axes are already the same."""
        return self.order == tuple(range(len(self.order))) and not any(self.is_flipped)

    def apply(self, voxels: NDArray[Any]) -> NDArray[Any]:
        """The voxels of an array ``(z, y, x)`` along the other's axes, a view."""
        from_xyz = voxels.T.transpose(self.order)
        return from_xyz[tuple(slice(None, None, -1 if flip else 1) for flip in self.is_flipped)].T


@dataclass(frozen=True)
class VoxelGrid:
    """The place of an image's voxels in space.

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

    @classmethod
    def of_affine(cls, size: Sequence[int], affine: NDArray[np.floating]) -> VoxelGrid:
        """Grid of NIfTI's matrix of voxel indices (x, y, z) to millimetres in RAS, ``(4, 4)``; no axis of length 0."""
        lps = _RAS_TO_LPS @ np.asarray(affine, dtype=np.float64)
        spacing_mm = np.linalg.norm(lps[:3, :3], axis=0)
        return cls(
            tuple(int(side) for side in size),
            tuple(spacing_mm.tolist()),
            tuple(lps[:3, 3].tolist()),
            tuple((lps[:3, :3] / spacing_mm).ravel().tolist()),
        )

    @property
    def affine(self) -> NDArray[np.float64]:
        """NIfTI's matrix of voxel indices (x, y, z) to millimetres in RAS, ``(4, 4)``."""
        lps = np.eye(4)
        lps[:3, :3] = self.axes * np.asarray(self.spacing_mm)
        lps[:3, 3] = self.origin_mm
        return np.asarray(_RAS_TO_LPS @ lps)

    @property
    def axes(self) -> NDArray[np.float64]:
        """Unit vectors of the axes as columns, ``(3, 3)``."""
        return np.array(self.direction).reshape(3, 3)

    @property
    def is_finite(self) -> bool:
        """True if all its numbers are finite and its voxels have a size."""
        numbers = [*self.spacing_mm, *self.origin_mm, *self.direction]
        return bool(np.isfinite(numbers).all()) and min(self.spacing_mm) > 0

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

    def distance_in_voxels(self, other: VoxelGrid) -> float:
        """The largest distance along an axis between the same corner voxel of both, in voxels of the other."""
        ends = np.array(list(itertools.product(*((0, n - 1) for n in self.size))), dtype=float)
        return float(np.abs(other.indices(self.points(ends)) - ends).max())

    def axis_change_to(self, other: VoxelGrid) -> AxisChange | None:
        """Find the change of this grid's axes into those of another grid with the same voxels in the same place.

        Returns:
            None if the voxels are not the same within ``GRID_TOLERANCE``.
        """
        turned = np.linalg.inv(other.axes) @ self.axes
        order = tuple(np.abs(turned).argmax(axis=1).tolist())
        if sorted(order) != [0, 1, 2] or tuple(self.size[axis] for axis in order) != tuple(other.size):
            return None
        change = AxisChange(order, tuple(bool(turned[row, axis] < 0) for row, axis in enumerate(order)))
        return change if self._changed(change).distance_in_voxels(other) <= GRID_TOLERANCE else None

    def _changed(self, change: AxisChange) -> VoxelGrid:
        """The grid of an array whose axes were changed so."""
        first = [self.size[axis] - 1 if flip else 0 for axis, flip in zip(*change, strict=True)]
        start = np.zeros((1, 3))
        start[0, list(change.order)] = first
        signs = np.where(change.is_flipped, -1.0, 1.0)
        return VoxelGrid(
            tuple(self.size[axis] for axis in change.order),
            tuple(self.spacing_mm[axis] for axis in change.order),
            tuple(self.points(start)[0].tolist()),
            tuple((self.axes[:, list(change.order)] * signs).ravel().tolist()),
        )

    def at_right_angles(self) -> VoxelGrid:
        """The grid with the nearest axes that are at right angles; itself if its own are, up to rounding."""
        if np.abs(self.axes.T @ self.axes - np.eye(3)).max() < _ROUNDED_COSINES:
            return self
        left, _, right = np.linalg.svd(self.axes)
        return VoxelGrid(self.size, self.spacing_mm, self.origin_mm, tuple((left @ right).ravel().tolist()))

    def cropped(self, start: Sequence[int], size: Sequence[int]) -> VoxelGrid:
        """The block of this grid that begins at an index."""
        origin = self.points(np.array([start]))[0]
        return VoxelGrid(tuple(map(int, size)), self.spacing_mm, tuple(origin.tolist()), self.direction)

    def cropped_to(self, points_mm: NDArray[np.float64]) -> VoxelGrid | None:
        """The voxels whose centres lie in the bounding box, along this grid's axes, of some points.

        Args:
            points_mm: physical points, ``(n, 3)``.

        Returns:
            None if there are none.
        """
        indices = self.indices(points_mm)
        first = np.ceil(indices.min(axis=0) - WHOLE_VOXEL_TOLERANCE).clip(min=0).astype(int)
        last = np.floor(indices.max(axis=0) + WHOLE_VOXEL_TOLERANCE).astype(int)
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
        if not alike or not inside or np.abs(start - whole).max() > WHOLE_VOXEL_TOLERANCE:
            return None
        return tuple(whole.astype(int).tolist())

    def __str__(self) -> str:
        """One line of text for messages."""
        size, spacing = ("x".join(f"{value:.4g}" for value in of) for of in (self.size, self.spacing_mm))
        origin, direction = (
            ", ".join(f"{value + 0.0:.4g}" for value in np.round(of, 4))
            for of in (self.origin_mm, self.direction)
        )
        return f"{size} voxels of {spacing} mm from ({origin}) mm with axes ({direction})"

    def describe(self) -> dict[str, list[float]]:
        """The grid as plain lists, for a log."""
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
