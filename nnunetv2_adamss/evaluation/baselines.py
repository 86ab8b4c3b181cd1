"""What needs no training and stands beside every model: the tumour's volume and its highest uptake."""

from pathlib import Path

import numpy as np
import SimpleITK as sitk


def tumour_volume_ml(mask_file: Path) -> float:
    """Volume of all voxels that are not background, in ml."""
    mask = sitk.ReadImage(str(mask_file))
    voxel_mm3 = float(np.prod(mask.GetSpacing()))
    return float((sitk.GetArrayViewFromImage(mask) > 0).sum()) * voxel_mm3 / 1000


def suv_max(pet_file: Path, mask_file: Path) -> float:
    """Highest value of the PET in the mask, in the PET's unit; 0 for an empty mask.

    Raises:
        ValueError: if the two images differ in size.
    """
    pet, mask = (sitk.GetArrayFromImage(sitk.ReadImage(str(file))) for file in (pet_file, mask_file))
    if pet.shape != mask.shape:
        raise ValueError(f"{pet_file} has {pet.shape} voxels, but {mask_file} has {mask.shape}.")
    return float(pet[mask > 0].max(initial=0))
