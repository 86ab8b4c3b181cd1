"""Images of one patient, read and checked: they lie on one grid and hold numbers only."""

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import SimpleITK as sitk
from nibabel.filebasedimages import ImageFileError
from numpy.typing import NDArray

# What the mask is called among the images, and in messages.
MASK = "the mask"
# Of a voxel: masks that went through another program have coordinates that are rounded.
_GRID_TOLERANCE = 1e-3


def read_on_one_grid(images: Mapping[str, Path], mask: Path | None = None) -> dict[str, sitk.Image]:
    """Read images by the names of their channels, and under the name of ``MASK`` the mask, if there is one.

    Raises:
        ValueError: with all that is wrong: a file is not there or cannot be read, an image does not lie on the grid of
            the first one, or holds voxels that are no finite numbers.
    """
    files = dict(images) | ({} if mask is None else {MASK: mask})
    faults = [f"there is no {file}" for file in files.values() if not file.is_file()]
    if faults:
        raise ValueError("; ".join(faults))
    read = {name: _read_file(file) for name, file in files.items()}
    reference_name, reference = next(iter(read.items()))
    for name, image in read.items():
        faults += [f"{name} {fault}" for fault in _other_grid(image, reference, reference_name)]
    for name, image in read.items():
        values = _voxels(files[name], image)
        n_voxels = values.size - np.count_nonzero(np.isfinite(values))
        if n_voxels:
            faults.append(f"{name} has {n_voxels} voxels that are not finite numbers")
    if faults:
        raise ValueError("; ".join(faults))
    for image in read.values():
        image.CopyInformation(reference)
    return read


def _read_file(file: Path) -> sitk.Image:
    try:
        image = sitk.ReadImage(str(file))
    except RuntimeError as error:
        # SimpleITK's own message is long; its last line says what is wrong.
        reason = str(error).strip().splitlines()[-1].strip()
        raise ValueError(f"{file} cannot be read ({reason})") from error
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        raise ValueError(f"{file} is not a three-dimensional image of one channel")
    return image


def _voxels(file: Path, image: sitk.Image) -> NDArray[Any]:
    """All voxels as the file holds them."""
    if not file.name.endswith((".nii", ".nii.gz")):
        return sitk.GetArrayViewFromImage(image)
    try:
        # Of what is no number, and of what a file lacks that was cut off, SimpleITK makes zeros without a word.
        values: NDArray[Any] = np.asanyarray(nibabel.load(file).dataobj)
    except (OSError, EOFError, zlib.error, ImageFileError) as error:
        raise ValueError(f"{file} cannot be read (cut off or damaged: {error})") from error
    return values


def _other_grid(image: sitk.Image, reference: sitk.Image, reference_name: str) -> list[str]:
    if image.GetSize() != reference.GetSize():
        return [f"has {image.GetSize()} voxels, but {reference_name} {reference.GetSize()}"]
    spacing = np.array(reference.GetSpacing())
    limits_mm = {
        "spacing": (image.GetSpacing(), reference.GetSpacing(), _GRID_TOLERANCE * spacing),
        "origin": (image.GetOrigin(), reference.GetOrigin(), _GRID_TOLERANCE * spacing),
        "direction": (image.GetDirection(), reference.GetDirection(), np.full(9, _GRID_TOLERANCE)),
    }
    return [
        f"has another {what} than {reference_name}: {_rounded(own)}, not {_rounded(other)}"
        for what, (own, other, limit) in limits_mm.items()
        if (np.abs(np.subtract(own, other)) > limit).any()
    ]


def _rounded(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(round(value, 4) for value in values)
