"""Position and axes of an image in the patient, to write maps and to turn pictures."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.orientations import (
    aff2axcodes,
    apply_orientation,
    axcodes2ornt,
    io_orientation,
    ornt_transform,
)
from numpy.typing import NDArray

from nnunetv2_adamss.common.files import replace_atomically
from nnunetv2_adamss.common.voxel_grid import VoxelGrid
from nnunetv2_adamss.survival.nnunet_data.case_geometry import case_grid

# Rows of an axial picture run to the back and columns to the patient's left, as radiologists look at them.
_VIEW = ("L", "P", "S")


@dataclass(frozen=True, eq=False)
class ImageGeometry:
    """Positions of the voxels of an array from nnU-Net's reader, axes slice, row, column.

    nnU-Net's own writers know them too, but write integers only.

    Args:
        affine: from column, row, slice to NIfTI's millimetres (right, anterior, superior), ``(4, 4)``.
        file_axes: the directions of the file's axes, such as ``("R", "A", "S")``; some readers turn the array.
    """

    affine: NDArray[np.float64]
    file_axes: tuple[str, ...]

    @classmethod
    def of_case(cls, properties: Mapping[str, Any]) -> "ImageGeometry":
        """Read the geometry from a case's properties by nnU-Net's readers; TIFF has a spacing only."""
        spacing = tuple(properties.get("spacing", ()))[::-1]
        without_place = VoxelGrid((1, 1, 1), spacing, (0.0, 0.0, 0.0), tuple(np.eye(3).ravel()))
        affine = (case_grid(properties, (1, 1, 1)) or without_place).affine
        # Some readers turn the array, and keep the file's axes in the properties.
        of_file = properties.get("nibabel_stuff", {}).get("original_affine", affine)
        itk = properties.get("sitk_stuff", {})
        return cls(affine, tuple(itk.get("original_orientation", aff2axcodes(of_file))))

    def write(self, array: NDArray[np.float32], file: Path) -> None:
        """Write an array of the whole image as ``.nii.gz``, on the grid of the image's file."""
        own = io_orientation(self.affine)
        image = nib.Nifti1Image(array.transpose(2, 1, 0), self.affine).as_reoriented(
            ornt_transform(own, axcodes2ornt(self.file_axes))
        )
        image.set_qform(image.affine, "scanner")
        image.set_sform(image.affine, "scanner")
        image.header.set_xyzt_units("mm")
        # No time in the header, so that the same map gives the same file.
        content = gzip.compress(image.to_bytes(), compresslevel=4, mtime=0)
        replace_atomically(file, lambda unfinished: unfinished.write_bytes(content))

    def turned(self, array: NDArray[Any]) -> NDArray[Any]:
        """Turn the axes to the patient's left, back and head: ``turned[:, :, i].T`` is an axial picture."""
        turn = ornt_transform(io_orientation(self.affine), axcodes2ornt(_VIEW))
        view: NDArray[Any] = apply_orientation(array.transpose(2, 1, 0), turn)
        return view

    @property
    def view_spacing_mm(self) -> tuple[float, ...]:
        """Spacing of the axes of ``turned``."""
        spacing = np.linalg.norm(self.affine[:3, :3], axis=0)
        turn = ornt_transform(io_orientation(self.affine), axcodes2ornt(_VIEW))
        return tuple(float(spacing[turn[:, 0] == axis][0]) for axis in range(3))
