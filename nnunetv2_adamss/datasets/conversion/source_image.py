"""Read the images of a cohort, with checks that SimpleITK does not make."""

from __future__ import annotations

import glob
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from nnunetv2_adamss.common.files import sha256_of
from nnunetv2_adamss.common.images import load_image, read_header

_HEADERS = (".mhd", ".nhdr", ".hdr")


def files_of(image: Path) -> list[Path]:
    """Return the files of an image: in some formats, the voxels lie beside the header."""
    if image.suffix.casefold() not in _HEADERS:
        return [image]
    return sorted(image.parent.glob(f"{glob.escape(image.stem)}.*"))


def same_image(one: Path, other: Path) -> bool:
    """Return True if two files hold the same voxels at the same place, whatever their compression.

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
    """Read a 3D image; voxels that are not finite get a given value, since SimpleITK's zeros are tissue in a CT.

    Args:
        file: of the image.
        nothing: value of voxels that are not finite.

    Returns:
        The image, and how many voxels these were.

    Raises:
        ValueError: if it cannot be read completely.
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
