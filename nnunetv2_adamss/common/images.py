"""Read images and masks completely, and combine them only if their voxels lie in the same place.

Two images lie in the same place if their voxels do, within ``GRID_TOLERANCE``, along whatever axes a file stores them.
Then the second gets the axes of the first, by flips and permutations alone. Any other pair is refused.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from nnunetv2_adamss.common import nifti
from nnunetv2_adamss.common.voxel_grid import GRID_TOLERANCE, VoxelGrid

logger = logging.getLogger(__name__)

# Name of the mask among the images, and in messages.
MASK = "the mask"


class Image(NamedTuple):
    """An image of three axes and one channel.

    Attributes:
        voxels: ``(z, y, x)``.
        grid: where they lie.
    """

    voxels: NDArray[Any]
    grid: VoxelGrid

    def along(self, grid: VoxelGrid, name: str, grid_name: str) -> "Image":
        """The image along the axes of a grid on which it lies.

        Args:
            grid: of another image.
            name: of this image, for messages.
            grid_name: of the other image, for messages.

        Raises:
            ValueError: with both geometries, if it does not lie on this grid.
        """
        change = self.grid.axis_change_to(grid)
        if change is None:
            raise ValueError(f"{name} lies on another grid than {grid_name}: {self.grid}, not {grid}")
        return Image(change.apply(self.voxels), grid)

    def itk(self) -> sitk.Image:
        """Convert the image to SimpleITK's type.

        Raises:
            ValueError: if the axes are not at right angles.
        """
        grid = self.grid.at_right_angles()
        if self.grid.distance_in_voxels(grid) > GRID_TOLERANCE:
            raise ValueError(
                f"its axes are not at right angles, as in a tilted scan ({self.grid}); resample it to a grid with "
                "right angles"
            )
        image = sitk.GetImageFromArray(np.ascontiguousarray(self.voxels))
        image.SetSpacing(grid.spacing_mm)
        image.SetOrigin(grid.origin_mm)
        image.SetDirection(grid.direction)
        return image


class LoadedImage(NamedTuple):
    """An image whose voxels may be NaN or infinite.

    Attributes:
        image: as it is read; SimpleITK reads NaN in scaled NIfTI files as 0.
        stored: voxels as the file holds them, ``(z, y, x)``.
    """

    image: Image
    stored: NDArray[Any]

    def gaps(self, name: str) -> list[str]:
        """List of one sentence, without a full stop, if some voxels are not finite numbers; else empty."""
        n_voxels = self.stored.size - np.count_nonzero(np.isfinite(self.stored))
        return [f"{name} has {n_voxels} voxels that are not finite numbers"] if n_voxels else []


def read_on_one_grid(images: Mapping[str, Path], mask: Path | None = None) -> dict[str, Image]:
    """Read images by the names of their channels, and the mask, if there is one, under the name ``MASK``.

    All get the axes and the grid of the first.

    Raises:
        ValueError: with all that is wrong: a file is not there or cannot be read, an image does not lie on the grid of
            the first one, or holds voxels that are not finite numbers.
    """
    files = dict(images) | ({} if mask is None else {MASK: mask})
    loaded: dict[str, LoadedImage] = {}
    faults = []
    for name, file in files.items():
        try:
            loaded[name] = load_image(file)
        except ValueError as error:
            faults.append(str(error))
    if faults:
        raise ValueError("; ".join(faults))
    reference_name, reference = next(iter(loaded.items()))
    read: dict[str, Image] = {}
    for name, one in loaded.items():
        faults += one.gaps(name)
        try:
            read[name] = one.image.along(reference.image.grid, name, reference_name)
        except ValueError as error:
            faults.append(str(error))
    if faults:
        raise ValueError("; ".join(faults))
    return read


def read_image(file: Path) -> Image:
    """Read an image or a mask.

    Raises:
        ValueError: if it is not there or cannot be read, or holds voxels that are not finite numbers.
    """
    loaded = load_image(file)
    if gaps := loaded.gaps(str(file)):
        raise ValueError(gaps[0])
    return loaded.image


def read_mask(
    file: Path, grid: VoxelGrid, grid_name: object = "its image", *, by_nibabel: bool = False
) -> NDArray[Any]:
    """The labels of a mask along the axes of a grid on which it lies, ``(z, y, x)``.

    Args:
        file: of the mask.
        grid: of an image.
        grid_name: of that image, for messages.
        by_nibabel: whether that grid was read by nibabel's rule, which matters if a header can be read in two ways.

    Raises:
        ValueError: if it cannot be read or does not lie on this grid.
    """
    image = read_image(file)
    if by_nibabel and nifti.is_nifti(file):
        image = image._replace(grid=nifti.grid_of(file))
    return image.along(grid, str(file), str(grid_name)).voxels


def tumour_of(mask: NDArray[np.integer], ignore_label: int | None) -> NDArray[np.bool_]:
    """True where a mask has a foreground label: the union of all but the ignored one."""
    tumour: NDArray[np.bool_] = mask > 0
    return tumour if ignore_label is None else tumour & (mask != ignore_label)


def load_image(file: Path) -> LoadedImage:
    """Read an image whose voxels may be NaN or infinite.

    Raises:
        ValueError: if it is not there, cannot be read or was cut off.
    """
    logger.debug("Reading %s", file)
    grid = read_header(file)
    if not nifti.is_nifti(file):
        voxels = _read_by_simpleitk(file)
        return LoadedImage(Image(voxels, grid), voxels)
    stored, is_scaled = nifti.stored_voxels(file)
    stored = stored.reshape(grid.size).T
    if contradiction := nifti.contradiction(file, grid):
        logger.warning("%s.", contradiction)
    # For scaled values the two libraries differ by rounding; models were trained on SimpleITK's.
    voxels = _read_by_simpleitk(file) if is_scaled and is_read_by_simpleitk(file) else stored
    return LoadedImage(Image(voxels, grid), stored)


def read_header(file: Path) -> VoxelGrid:
    """The grid of an image file, without its voxels.

    Raises:
        ValueError: if it cannot be read as an image, does not have three axes and one channel, or its voxels have no
            size.
    """
    if not file.is_file():
        raise ValueError(f"{file} does not exist")
    if nifti.is_nifti(file):
        nifti.check_voxel_size(file)
    try:
        reader = _header_by_simpleitk(file)
    except RuntimeError as error:
        # Also tilted scans and NIfTI-2.
        if nifti.is_nifti(file):
            return nifti.grid_of(file)
        raise ValueError(f"{file} cannot be read as an image{_reason(error)}") from error
    if reader.GetDimension() != 3 or reader.GetNumberOfComponents() != 1:
        raise ValueError(
            f"{file} has {reader.GetDimension()} axes and {reader.GetNumberOfComponents()} values a voxel, "
            "expected 3 and 1"
        )
    grid = VoxelGrid.of(reader)
    if not grid.is_finite:
        raise ValueError(f"{file} has an impossible geometry: {grid}")
    return grid


def is_read_by_simpleitk(file: Path) -> bool:
    """Return True if SimpleITK also reads an image that ``read_header`` accepts: it needs right angles and NIfTI-1."""
    try:
        _header_by_simpleitk(file)
    except RuntimeError:
        return False
    return True


def are_stored_alike(files: Sequence[Path]) -> bool:
    """Return True if images on one grid also store their voxels along the same axes."""
    first, *others = map(read_header, files)
    changes = [grid.axis_change_to(first) for grid in others]
    return all(change is not None and change.is_identity for change in changes)


def constant_images(images: Mapping[str, Image]) -> Iterator[str]:
    """Yield a sentence, without a full stop, for each image that has the same value in every voxel."""
    for name, image in images.items():
        if image.voxels.min() == image.voxels.max():
            yield f"{name} is {image.voxels.flat[0]:g} in every voxel"


def _header_by_simpleitk(file: Path) -> sitk.ImageFileReader:
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(file))
    reader.ReadImageInformation()
    return reader


def _read_by_simpleitk(file: Path) -> NDArray[Any]:
    try:
        return sitk.GetArrayFromImage(sitk.ReadImage(str(file)))
    except RuntimeError as error:
        raise ValueError(f"{file} is cut off or damaged") from error


def _reason(error: RuntimeError) -> str:
    """SimpleITK's reason for not reading a file; empty if it only does not know the format."""
    last = str(error).strip().splitlines()[-1].strip()  # the lines before give the place in its source
    return "" if "Unable to determine" in last else f" ({last.removeprefix('ITK ERROR: ')})"
