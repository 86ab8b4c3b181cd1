"""Voxel grids in patient space. Arrays are in (z, y, x) order; SimpleITK's own order is (x, y, z)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import SimpleITK as sitk

from nnunetv2_adamss.datasets.conversion.write_image import save

# Where the middle of the field of view lies in the scanner's frame (x, y, z; LPS). Any point but zero, so
# that a reader that forgets the origin fails.
FOV_CENTRE_XYZ_MM = (10.0, -190.0, -620.0)
# NIfTI's canonical orientation (RAS) in SimpleITK's LPS frame.
RAS_SIGNS_XYZ = (-1, -1, 1)
LPS_SIGNS_XYZ = (1, 1, 1)


class Coordinates(NamedTuple):
    """Positions in mm from the middle of the field of view; they broadcast to ``(z, y, x)``.

    +z is superior, +y posterior, +x the patient's left.
    """

    z: np.ndarray
    y: np.ndarray
    x: np.ndarray


@dataclass(frozen=True)
class Grid:
    """One axis-aligned voxel grid.

    Args:
        shape: voxels, (z, y, x).
        spacing_mm: (z, y, x).
        centre_offset_mm: of the middle of the grid from the middle of the field of view, (z, y, x).
        signs_xyz: +1 or -1 for each axis, the diagonal of SimpleITK's direction.
    """

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    centre_offset_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    signs_xyz: tuple[int, int, int] = RAS_SIGNS_XYZ

    @property
    def voxel_volume_ml(self) -> float:
        """Volume of one voxel in millilitres."""
        return float(np.prod(self.spacing_mm)) / 1000.0

    def coordinates(self) -> Coordinates:
        """Positions of the voxel centres."""
        z, y, x = (
            offset + sign * (np.arange(n) - (n - 1) / 2) * spacing
            for offset, sign, n, spacing in zip(
                self.centre_offset_mm, reversed(self.signs_xyz), self.shape, self.spacing_mm, strict=True
            )
        )
        return Coordinates(z[:, None, None], y[None, :, None], x[None, None, :])

    def covering(
        self,
        spacing_factor: float,
        margin_mm: float,
        offset_mm: tuple[float, float, float],
        signs_xyz: tuple[int, int, int],
    ) -> Grid:
        """Another grid around the same field of view: wider by a margin, shifted and flipped."""
        spacing = tuple(spacing_factor * side for side in self.spacing_mm)
        widths = [n * side + 2 * margin_mm for n, side in zip(self.shape, self.spacing_mm, strict=True)]
        shape = tuple(int(np.ceil(width / side)) for width, side in zip(widths, spacing, strict=True))
        return replace(
            self,
            shape=(shape[0], shape[1], shape[2]),
            spacing_mm=(spacing[0], spacing[1], spacing[2]),
            centre_offset_mm=offset_mm,
            signs_xyz=signs_xyz,
        )

    def write(self, array: np.ndarray, path: Path) -> None:
        """Write an array of this grid, ``(z, y, x)``, as an image file."""
        image = sitk.GetImageFromArray(array)
        first_zyx_mm = [float(axis.ravel()[0]) for axis in self.coordinates()]
        origin = [c + p for c, p in zip(FOV_CENTRE_XYZ_MM, reversed(first_zyx_mm), strict=True)]
        image.SetOrigin(origin)
        image.SetSpacing(tuple(reversed(self.spacing_mm)))
        image.SetDirection(np.diag(self.signs_xyz).astype(float).ravel().tolist())
        save(image, path)
