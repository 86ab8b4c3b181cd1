"""Predicted masks, brought back to the grid of the CT that they were predicted from."""

from pathlib import Path
from tempfile import TemporaryDirectory

import SimpleITK as sitk

from nnunetv2_adamss.datasets.conversion.grid import VoxelGrid
from nnunetv2_adamss.datasets.conversion.resample import resample_mask


def write_on_grid(mask: Path, grid: VoxelGrid, file: Path) -> None:
    """Write a mask on another grid: labels of the nearest voxels, background outside of what was predicted.

    Args:
        mask: on the grid of the converted images.
        grid: of the published CT.
        file: to write, whole or not at all; its ending says the format.
    """
    on_grid = resample_mask(sitk.ReadImage(str(mask)), grid)
    file.parent.mkdir(parents=True, exist_ok=True)
    # In a folder of its own, under the final name: SimpleITK knows formats by endings.
    with TemporaryDirectory(prefix=".unfinished_", dir=file.parent) as folder:
        unfinished = Path(folder) / file.name
        sitk.WriteImage(on_grid, str(unfinished), useCompression=True)
        unfinished.replace(file)
