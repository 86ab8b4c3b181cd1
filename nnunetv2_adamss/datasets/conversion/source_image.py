"""Read the images of a cohort, with what SimpleITK does not say of them."""

from __future__ import annotations

import glob
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from nnunetv2_adamss.common.files import sha256_of
from nnunetv2_adamss.common.images import load_image, read_header

_HEADERS = (".mhd", ".nhdr", ".hdr")


def files_of(image: Path) -> list[Path]:
    """The files that an image consists of: of some formats, the voxels lie beside the header."""
    if image.suffix.casefold() not in _HEADERS:
        return [image]
    return sorted(image.parent.glob(f"{glob.escape(image.stem)}.*"))


def same_image(one: Path, other: Path) -> bool:
    """Whether two files hold the same voxels at the same place, however they are packed.

    Raises:
        ValueError: if one differs and cannot be read.
    """
    if sha256_of(one) == sha256_of(other):
        return True
    change = read_header(one).axis_change_to(read_header(other))
    if change is None or not change.is_identity:
        return False
    values = (sitk.GetArrayFromImage(read_source(file, 0.0)[0]) for file in (one, other))
    return bool(np.array_equal(*values))


def read_source(file: Path, nothing: float) -> tuple[sitk.Image, int]:
    """Read an image of three axes; in a CT, the zeros that SimpleITK makes of missing values are tissue.

    Args:
        file: of the image.
        nothing: what voxels become that are not finite.

    Returns:
        The image, and how many voxels these were.

    Raises:
        ValueError: if it cannot be read as a whole.
    """
    loaded, stored = load_image(file)
    try:
        image = loaded.itk()
    except ValueError as error:
        raise ValueError(f"{file} cannot be read: {error}") from error
    wrong = ~np.isfinite(stored) if np.issubdtype(stored.dtype, np.floating) else np.zeros(1, bool)
    if not wrong.any():
        return image, 0
    repaired = sitk.GetImageFromArray(np.where(wrong, nothing, sitk.GetArrayViewFromImage(image)))
    repaired.CopyInformation(image)
    return sitk.Cast(repaired, sitk.sitkFloat32), int(wrong.sum())
