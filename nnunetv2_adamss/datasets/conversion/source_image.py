"""Read the images of a cohort, with what SimpleITK does not say of them."""

from __future__ import annotations

import glob
import zlib
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import SimpleITK as sitk
from nibabel.filebasedimages import ImageFileError
from numpy.typing import NDArray

from nnunetv2_adamss.common.files import sha256_of
from nnunetv2_adamss.datasets.conversion.grid import VoxelGrid

_HEADERS = (".mhd", ".nhdr", ".hdr")


def files_of(image: Path) -> list[Path]:
    """The files that an image consists of: of some formats, the voxels lie beside the header."""
    if image.suffix.casefold() not in _HEADERS:
        return [image]
    return sorted(image.parent.glob(f"{glob.escape(image.stem)}.*"))


def header(file: Path) -> VoxelGrid:
    """The grid of an image file, without its voxels.

    Raises:
        ValueError: if it is no image that SimpleITK can read, or has no three axes.
    """
    if not file.is_file():
        raise ValueError(f"there is no file {file}")
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(file))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise ValueError(f"{file} cannot be read as an image{_reason(error)}") from error
    if reader.GetDimension() != 3 or reader.GetNumberOfComponents() != 1:
        raise ValueError(
            f"{file} has {reader.GetDimension()} axes and {reader.GetNumberOfComponents()} values a voxel, "
            "expected 3 and 1"
        )
    return VoxelGrid.of(reader)


def has_no_geometry(file: Path) -> bool:
    """Whether a NIfTI file says neither how large its voxels are nor where: what is left of arrays without a header."""
    if not _is_nifti(file):
        return False
    stored = nibabel.load(file).header
    codes = int(stored["qform_code"]), int(stored["sform_code"])
    return codes == (0, 0) and set(map(float, stored.get_zooms()[:3])) == {1.0}


def same_image(one: Path, other: Path) -> bool:
    """Whether two files hold the same voxels at the same place, however they are packed.

    Raises:
        ValueError: if one differs and cannot be read.
    """
    if sha256_of(one) == sha256_of(other):
        return True
    if header(one) != header(other):
        return False
    values = (sitk.GetArrayFromImage(read_image(file, 0.0)[0]) for file in (one, other))
    return bool(np.array_equal(*values))


def read_image(file: Path, nothing: float) -> tuple[sitk.Image, int]:
    """Read an image of three axes.

    Of NIfTI, SimpleITK makes zeros without a word where a file was cut off and where a value is no number: in a CT,
    zero is tissue.

    Args:
        file: of the image.
        nothing: what voxels become that are not finite.

    Returns:
        The image, and how many voxels these were.

    Raises:
        ValueError: if it cannot be read as a whole.
    """
    header(file)  # says what is wrong with it as a whole
    try:
        image = sitk.ReadImage(str(file))
    except RuntimeError as error:
        raise ValueError(f"{file} is cut off or damaged") from error
    stored = _stored(file, image)
    wrong = ~np.isfinite(stored) if np.issubdtype(stored.dtype, np.floating) else np.zeros(1, bool)
    if not wrong.any():
        return image, 0
    repaired = sitk.GetImageFromArray(np.where(wrong, nothing, sitk.GetArrayViewFromImage(image)))
    repaired.CopyInformation(image)
    return sitk.Cast(repaired, sitk.sitkFloat32), int(wrong.sum())


def _reason(error: RuntimeError) -> str:
    """What SimpleITK says of a file, such as that its axes are not orthogonal; nothing if it just knows no format."""
    last = str(error).strip().splitlines()[-1].strip()  # the lines before say where in its source
    return "" if "Unable to determine" in last else f" ({last.removeprefix('ITK ERROR: ')})"


def _is_nifti(file: Path) -> bool:
    return file.name.casefold().endswith((".nii", ".nii.gz"))


def _stored(file: Path, image: sitk.Image) -> NDArray[Any]:
    """Voxels as the file holds them, ``(z, y, x)``."""
    values: NDArray[Any] = sitk.GetArrayViewFromImage(image)
    if not _is_nifti(file):
        return values
    try:
        return np.asarray(nibabel.load(file).dataobj.get_unscaled()).T.reshape(values.shape)
    except (OSError, EOFError, zlib.error, ImageFileError) as error:
        raise ValueError(f"{file} is cut off or damaged") from error
