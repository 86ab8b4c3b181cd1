"""Effects of a scanner on an ideal image: blur, noise, and the shift between centres."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

PET_FWHM_MM = 6.0
_CT_FWHM_MM = 2.5
_CT_NOISE_HU = 12.0
# SD of PET noise at SUV 1; it grows with the square root of the uptake, as counts do.
_PET_NOISE_SUV = 0.10
# Reconstruction filters leave noise correlated over a few millimetres.
_PET_NOISE_FWHM_MM = 4.0
_CT_RANGE_HU = (-1024, 3071)
_FWHM_PER_SIGMA = 2.0 * np.sqrt(2.0 * np.log(2.0))

# The last centre's distance from the reference scanner; centres between lie between.
_MAX_PET_LOSS = 0.20
_MAX_EXTRA_PET_FWHM_MM = 3.0
_MAX_CT_OFFSET_HU = 15.0


@dataclass(frozen=True)
class Scanner:
    """Deviations of one centre's scanner from the reference.

    Args:
        pet_gain: factor on all SUV.
        extra_pet_fwhm_mm: blur on top of the reference scanner's.
        ct_offset_hu: added to all HU.
    """

    pet_gain: float = 1.0
    extra_pet_fwhm_mm: float = 0.0
    ct_offset_hu: float = 0.0


def scanner_of_centre(centre: int, n_centres: int, shift: bool) -> Scanner:
    """The scanner of a centre: the first has the reference, the others depart from it in equal steps."""
    if not shift or n_centres == 1:
        return Scanner()
    step = centre / (n_centres - 1)
    return Scanner(1.0 - _MAX_PET_LOSS * step, _MAX_EXTRA_PET_FWHM_MM * step, _MAX_CT_OFFSET_HU * step)


def scan_ct(
    ideal_hu: np.ndarray, spacing_mm: tuple[float, float, float], scanner: Scanner, rng: np.random.Generator
) -> np.ndarray:
    """A noisy CT, int16 HU, from ideal HU ``(z, y, x)``."""
    noisy = _blur(ideal_hu, _CT_FWHM_MM, spacing_mm) + scanner.ct_offset_hu
    noisy += _CT_NOISE_HU * rng.standard_normal(ideal_hu.shape)
    return np.clip(np.rint(noisy), *_CT_RANGE_HU).astype(np.int16)


def scan_pet(
    ideal_suv: np.ndarray, spacing_mm: tuple[float, float, float], scanner: Scanner, rng: np.random.Generator
) -> np.ndarray:
    """A blurred, noisy PET, float32 SUV >= 0, from ideal SUV ``(z, y, x)``."""
    fwhm_mm = float(np.hypot(PET_FWHM_MM, scanner.extra_pet_fwhm_mm))
    blurred = _blur(ideal_suv, fwhm_mm, spacing_mm)
    noise = _blur(rng.standard_normal(ideal_suv.shape), _PET_NOISE_FWHM_MM, spacing_mm)
    noise *= _PET_NOISE_SUV / noise.std()
    noisy = scanner.pet_gain * (blurred + noise * np.sqrt(np.maximum(blurred, 0.0)))
    return np.maximum(noisy, 0.0).astype(np.float32)


def _blur(array: np.ndarray, fwhm_mm: float, spacing_mm: tuple[float, float, float]) -> np.ndarray:
    sigma_voxels = [fwhm_mm / _FWHM_PER_SIGMA / side for side in spacing_mm]
    return gaussian_filter(array, sigma_voxels, mode="nearest")
