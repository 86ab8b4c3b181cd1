"""Volume, uptake and lesions of a tumour: measures without training, to compare with every model."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnunetv2_adamss.common.images import read_image, read_mask, tumour_of
from nnunetv2_adamss.metrics.lesions_of_mask import find_lesions

# Names of columns of tables.
TUMOUR_VOLUME, SUV_MAX = "tumour_volume_ml", "suv_max"


@dataclass(frozen=True)
class TumourMeasures:
    """Size and uptake of a tumour as a report of nuclear medicine gives them; all are 0 for an empty mask.

    Args:
        volume_ml: of the mask, the metabolic tumour volume (MTV).
        n_lesions: connected parts of the mask.
        suv_max: highest uptake, in the unit of the PET; None without a PET.
        suv_mean: mean uptake, in the same unit; None without a PET.
    """

    volume_ml: float
    n_lesions: int
    suv_max: float | None = None
    suv_mean: float | None = None

    @property
    def lesion_glycolysis(self) -> float | None:
        """Total lesion glycolysis (TLG): mean uptake times volume, in ml times the unit of the PET."""
        return None if self.suv_mean is None else self.suv_mean * self.volume_ml

    @classmethod
    def of(
        cls, mask: NDArray[np.bool_], spacing_mm: Sequence[float], pet: NDArray[Any] | None = None
    ) -> "TumourMeasures":
        """Measure the tumour in a mask.

        Args:
            mask: of three axes.
            spacing_mm: of the voxels, in any order of the axes.
            pet: on the mask's grid, if there is one.
        """
        volume, n_lesions = volume_ml(mask, spacing_mm), len(find_lesions(mask))
        if pet is None:
            return cls(volume, n_lesions)
        uptake = pet[mask]
        if not uptake.size:
            return cls(volume, n_lesions, 0.0, 0.0)
        return cls(volume, n_lesions, float(uptake.max()), float(uptake.mean(dtype=np.float64)))

    @classmethod
    def read(
        cls, mask_file: Path, pet_file: Path | None = None, ignore_label: int | None = None
    ) -> "TumourMeasures":
        """Measure the tumour in a mask file.

        Args:
            mask_file: with the labels of the data set.
            pet_file: if there is one.
            ignore_label: the value of the mask that is no tumour, or None.

        Raises:
            ValueError: if a file cannot be read, or the two lie on different grids.
        """
        if pet_file is None:
            mask, grid = read_image(mask_file)
            return cls.of(tumour_of(mask, ignore_label), grid.spacing_mm)
        pet, grid = read_image(pet_file)
        mask = read_mask(mask_file, grid, pet_file)
        return cls.of(tumour_of(mask, ignore_label), grid.spacing_mm, pet)


def measure_tumour(
    mask_file: Path, pet_file: Path | None = None, ignore_label: int | None = None
) -> dict[str, float]:
    """Volume and, with a PET, uptake of the tumour in a mask, by the names of their columns.

    Args:
        mask_file: with the labels of the data set.
        pet_file: if there is one.
        ignore_label: the value of the mask that is no tumour, or None.

    Raises:
        ValueError: if a file cannot be read, or the two lie on different grids.
    """
    volume = {TUMOUR_VOLUME: tumour_volume_ml(mask_file, ignore_label)}
    return volume if pet_file is None else {**volume, SUV_MAX: suv_max(pet_file, mask_file, ignore_label)}


def tumour_volume_ml(mask_file: Path, ignore_label: int | None = None) -> float:
    """Volume of all voxels that are neither background nor ignored, in ml.

    Raises:
        ValueError: if the mask cannot be read.
    """
    mask, grid = read_image(mask_file)
    return volume_ml(tumour_of(mask, ignore_label), grid.spacing_mm)


def volume_ml(mask: NDArray[np.bool_], spacing_mm: Sequence[float]) -> float:
    """Volume of a mask, in ml; the axes' order does not matter."""
    return float(mask.sum()) * float(np.prod(spacing_mm)) / 1000


def suv_max(pet_file: Path, mask_file: Path, ignore_label: int | None = None) -> float:
    """Highest value of the PET in the tumour, in the PET's unit; 0 for an empty mask.

    Raises:
        ValueError: if a file cannot be read, or the two lie on different grids.
    """
    pet, grid = read_image(pet_file)
    mask = read_mask(mask_file, grid, pet_file)
    return float(pet[tumour_of(mask, ignore_label)].max(initial=0))
