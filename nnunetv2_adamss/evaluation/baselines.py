"""What needs no training and stands beside every model: the tumour's volume and its highest uptake."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

# As columns of tables.
TUMOUR_VOLUME, SUV_MAX = "tumour_volume_ml", "suv_max"


def measure_tumour(mask_file: Path, pet_file: Path | None = None) -> dict[str, float]:
    """Volume and, with a PET, uptake of the tumour in a mask, by the names of their columns.

    Raises:
        ValueError: if the two images differ in size.
    """
    volume = {TUMOUR_VOLUME: tumour_volume_ml(mask_file)}
    return volume if pet_file is None else {**volume, SUV_MAX: suv_max(pet_file, mask_file)}


def tumour_volume_ml(mask_file: Path) -> float:
    """Volume of all voxels that are not background, in ml."""
    mask = sitk.ReadImage(str(mask_file))
    return volume_ml(sitk.GetArrayViewFromImage(mask) > 0, mask.GetSpacing())


def volume_ml(mask: NDArray[np.bool_], spacing_mm: Sequence[float]) -> float:
    """Volume of a mask, in ml; the axes' order does not matter."""
    return float(mask.sum()) * float(np.prod(spacing_mm)) / 1000


def suv_max(pet_file: Path, mask_file: Path) -> float:
    """Highest value of the PET in the mask, in the PET's unit; 0 for an empty mask.

    Raises:
        ValueError: if the two images differ in size.
    """
    pet, mask = (sitk.GetArrayFromImage(sitk.ReadImage(str(file))) for file in (pet_file, mask_file))
    if pet.shape != mask.shape:
        raise ValueError(f"{pet_file} has {pet.shape} voxels, but {mask_file} has {mask.shape}.")
    return float(pet[mask > 0].max(initial=0))
