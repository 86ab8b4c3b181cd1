"""Small PET/CT cases with a lumpy tumour, as arrays, images and files."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from nnunetv2_adamss.radiomics.radiomics_settings import RadiomicsSettings
from nnunetv2_adamss.radiomics.request import Extras, RadiomicsCase, RadiomicsRequest

CHANNELS = ("CT", "PET")


def ball(shape: Sequence[int], centre: Sequence[float], radius: float) -> NDArray[np.bool_]:
    grid = np.indices(shape) - np.reshape(centre, (3, 1, 1, 1))
    return np.linalg.norm(grid, axis=0) < radius


def pet_ct(mask: NDArray[Any], seed: int = 0) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
    """CT in HU and PET in SUV, brighter where the mask is."""
    rng = np.random.default_rng(seed)
    texture = gaussian_filter(rng.normal(size=mask.shape), 1.5)
    texture /= texture.std()
    ct = np.round(40 * (mask > 0) + 40 * texture + rng.normal(0, 15, mask.shape)).astype(np.int16)
    pet = (1 + (mask > 0) * (5 + texture) + rng.normal(0, 0.2, mask.shape)).astype(np.float32)
    return ct, pet


def image_of(array: NDArray[Any], spacing_mm: Sequence[float] = (1, 1, 1)) -> sitk.Image:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(tuple(map(float, spacing_mm)))
    image.SetOrigin((-12.5, 7.0, 100.25))
    return image


def write_case(
    folder: Path, case_id: str, mask: NDArray[Any], spacing_mm: Sequence[float] = (2, 2, 3), seed: int = 0
) -> RadiomicsCase:
    """Write a case into ``folder/images`` and ``folder/masks``."""
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    case = RadiomicsCase(
        case_id,
        tuple(folder / "images" / f"{case_id}_{channel:04d}.nii.gz" for channel in range(2)),
        folder / "masks" / f"{case_id}.nii.gz",
    )
    for file, array in zip(
        (*case.images, case.mask), (*pet_ct(mask, seed), mask.astype(np.uint8)), strict=True
    ):
        sitk.WriteImage(image_of(array, spacing_mm), str(file))
    return case


def write_dataset_json(folder: Path, **other: Any) -> None:
    content = {
        "channel_names": {"0": "CT", "1": "PET"},
        "labels": {"background": 0, "primary": 1, "node": 2, "ignore": 3},
        "file_ending": ".nii.gz",
    }
    (folder / "dataset.json").write_text(json.dumps(content | other))


def quick_request(**extras: Any) -> RadiomicsRequest:
    """Few features, for tests of all that is around them."""
    settings = RadiomicsSettings(
        {
            "imageType": {"Original": {}},
            "featureClass": {
                "shape": ["MeshVolume"],
                "firstorder": ["Mean", "Maximum"],
                "glcm": ["Contrast"],
            },
        },
        {"CT": {"binWidth": 25}, "PET": {"binWidth": 0.25}},
        "quick",
    )
    labels = {"primary": (1,), "node": (2,)}
    return RadiomicsRequest(CHANNELS, settings, labels, ignore_label=3, extras=Extras(**extras))


def paper_request() -> RadiomicsRequest:
    return RadiomicsRequest(CHANNELS, RadiomicsSettings.read())
