"""The grid of a case as nnU-Net's reader gives it, and masks along the same axes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager
from numpy.typing import NDArray

from nnunetv2_adamss.common.images import read_mask
from nnunetv2_adamss.common.voxel_grid import VoxelGrid


def image_shape(properties: Mapping[str, Any], plans_manager: PlansManager) -> tuple[int, ...]:
    """Shape of the image before nnU-Net's transposition and cropping, ``(z, y, x)``.

    Args:
        properties: nnU-Net's, of the case.
        plans_manager: of the plan that it was preprocessed by.
    """
    shape = properties["shape_before_cropping"]
    return tuple(int(shape[axis]) for axis in plans_manager.transpose_backward)


def case_grid(properties: Mapping[str, Any], shape: tuple[int, ...]) -> VoxelGrid | None:
    """Grid of the array that the reader gave.

    Args:
        properties: nnU-Net's, of the case.
        shape: of the array, ``(z, y, x)``.

    Returns:
        None for formats such as TIFF, which store no position in space.
    """
    size = shape[::-1]
    if "nibabel_stuff" in properties:
        stored = properties["nibabel_stuff"]
        # Some readers turn the array.
        return VoxelGrid.of_affine(size, stored.get("reoriented_affine", stored["original_affine"]))
    if "sitk_stuff" in properties:
        itk = properties["sitk_stuff"]
        return VoxelGrid(size, tuple(itk["spacing"]), tuple(itk["origin"]), tuple(itk["direction"]))
    return None


def read_case_mask(
    file: Path, properties: Mapping[str, Any], plans_manager: PlansManager
) -> NDArray[np.integer]:
    """Read the labels of a mask along the axes of its case's image, ``(z, y, x)``.

    Args:
        file: of the mask.
        properties: nnU-Net's, of the case.
        plans_manager: of the plan that it was preprocessed by.

    Raises:
        ValueError: if the mask cannot be read or lies on another grid.
    """
    shape = image_shape(properties, plans_manager)
    grid = case_grid(properties, shape)
    if grid is not None:
        return read_mask(file, grid, by_nibabel="nibabel_stuff" in properties)
    mask: NDArray[np.integer] = plans_manager.image_reader_writer_class().read_seg(str(file))[0][0]
    if mask.shape != shape:
        raise ValueError(f"{file} has {mask.shape} voxels, its image {shape}")
    return mask
