"""Resample predicted masks to the grid of the published CT."""

from pathlib import Path

from nnunetv2_adamss.common.voxel_grid import VoxelGrid
from nnunetv2_adamss.datasets.conversion.resample import resample_mask
from nnunetv2_adamss.datasets.conversion.source_image import read_source
from nnunetv2_adamss.datasets.conversion.write_image import save_atomically


def write_on_grid(mask: Path, grid: VoxelGrid, file: Path) -> None:
    """Write a mask on another grid: labels of the nearest voxels, background outside of the predicted region.

    Args:
        mask: on the grid of the converted images.
        grid: of the published CT.
        file: to write, completely or not at all; its ending gives the format.

    Raises:
        ValueError: if the mask is not there or damaged.
        OSError: if it cannot be written.
    """
    image, _ = read_source(mask, nothing=0.0)
    save_atomically(resample_mask(image, grid), file)
