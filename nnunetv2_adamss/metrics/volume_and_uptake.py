"""What needs no training and stands beside every model: the tumour's volume and its highest uptake."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnunetv2_adamss.common.images import read_image, read_mask

# As columns of tables.
TUMOUR_VOLUME, SUV_MAX = "tumour_volume_ml", "suv_max"


def measure_tumour(mask_file: Path, pet_file: Path | None = None) -> dict[str, float]:
    """Volume and, with a PET, uptake of the tumour in a mask, by the names of their columns.

    Raises:
        ValueError: if a file cannot be read, or the two lie on different grids.
    """
    volume = {TUMOUR_VOLUME: tumour_volume_ml(mask_file)}
    return volume if pet_file is None else {**volume, SUV_MAX: suv_max(pet_file, mask_file)}


def tumour_volume_ml(mask_file: Path) -> float:
    """Volume of all voxels that are not background, in ml.

    Raises:
        ValueError: if the mask cannot be read.
    """
    mask, grid = read_image(mask_file)
    return volume_ml(mask > 0, grid.spacing_mm)


def volume_ml(mask: NDArray[np.bool_], spacing_mm: Sequence[float]) -> float:
    """Volume of a mask, in ml; the axes' order does not matter."""
    return float(mask.sum()) * float(np.prod(spacing_mm)) / 1000


def suv_max(pet_file: Path, mask_file: Path) -> float:
    """Highest value of the PET in the mask, in the PET's unit; 0 for an empty mask.

    Raises:
        ValueError: if a file cannot be read, or the two lie on different grids.
    """
    pet, grid = read_image(pet_file)
    mask = read_mask(mask_file, grid, pet_file)
    return float(pet[mask > 0].max(initial=0))
