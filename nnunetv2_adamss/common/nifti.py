"""NIfTI files, and the faults in them that SimpleITK silently ignores."""

import gzip
import io
import math
import struct
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import nibabel
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError
from numpy.typing import NDArray

from nnunetv2_adamss.common.files import put_in_place
from nnunetv2_adamss.common.voxel_grid import GRID_TOLERANCE, VoxelGrid

_GZIP = b"\x1f\x8b"
_CHUNK_BYTES = 1 << 22
_HEADER_BYTES = 540  # of NIfTI-2, which has the longer one
# Errors that nibabel raises for files that are cut off, damaged or something else.
_UNREADABLE = (
    OSError,
    EOFError,
    zlib.error,
    ImageFileError,
    HeaderDataError,
    WrapStructError,
    ValueError,
    OverflowError,
    MemoryError,
)


def is_nifti(file: Path) -> bool:
    """Return True if a file is named like a single-file NIfTI image."""
    return file.name.casefold().endswith((".nii", ".nii.gz"))


def load(file: Path) -> nibabel.Nifti1Image:
    """Open a file with nibabel, also if it is called ``.nii.gz`` but is not compressed, as SimpleITK does.

    Raises:
        ValueError: if it is no NIfTI file.
    """
    try:
        return nibabel.load(file) if _is_compressed(file) == _ends_compressed(file) else _load_misnamed(file)
    except _UNREADABLE as error:
        raise ValueError(f"{file} cannot be read as an image") from error


def stored_voxels(file: Path) -> tuple[NDArray[Any], bool]:
    """All voxels as the file holds them, ``(x, y, z)``, and whether its header scales them.

    SimpleITK reads zeros instead of NaN, and instead of voxels that are missing because the file was cut off.

    Raises:
        ValueError: if some are missing.
    """
    image = load(file)
    try:
        values: NDArray[Any] = np.asanyarray(image.dataobj)
    except _UNREADABLE as error:
        raise ValueError(f"{file} is cut off or damaged") from error
    is_scaled = (image.dataobj.slope, image.dataobj.inter) != (1, 0)
    return values.astype(values.dtype.newbyteorder("="), copy=False), is_scaled


def grid_of(file: Path) -> VoxelGrid:
    """The grid by nibabel's rule, for files that SimpleITK does not read.

    Raises:
        ValueError: if the file has not three axes, or its header does not give the place of its voxels.
    """
    image = load(file)
    affine = np.asarray(image.affine, dtype=float)
    if image.ndim != 3:
        raise ValueError(f"{file} has {image.ndim} axes, expected 3")
    if not np.isfinite(affine).all() or np.linalg.det(affine[:3, :3]) == 0:
        raise ValueError(f"{file} has an impossible geometry: {affine[:3].round(4).tolist()}")
    return VoxelGrid.of_affine(image.shape, affine)


def has_no_geometry(file: Path) -> bool:
    """Return True if a NIfTI file gives neither size nor place of its voxels, as if saved from a bare array."""
    if not is_nifti(file):
        return False
    header = load(file).header
    codes = int(header["qform_code"]), int(header["sform_code"])
    return codes == (0, 0) and set(map(float, header.get_zooms()[:3])) == {1.0}


def check_voxel_size(file: Path) -> None:
    """Raise ValueError if the header gives a voxel no size; readers would silently assume 1 mm."""
    header = _raw_header(file)
    spacing_mm = np.abs(np.asarray(header["pixdim"][1:4], dtype=float))
    if not (np.isfinite(spacing_mm) & (spacing_mm > 0)).all():
        raise ValueError(f"{file} has voxels of {'x'.join(f'{mm:g}' for mm in spacing_mm)} mm")


def is_whole(file: Path) -> bool:
    """Return True if a NIfTI file holds all voxels that its header announces; other formats count as whole."""
    if not is_nifti(file):
        return True
    try:
        header, n_bytes = _raw_header(file), 0
        expected = (
            header.get_data_offset() + math.prod(header.get_data_shape()) * header.get_data_dtype().itemsize
        )
        with _open(file) as stream:
            # To the end: the check sum of a compressed file comes last.
            while chunk := stream.read(_CHUNK_BYTES):
                n_bytes += len(chunk)
    except _UNREADABLE:
        return False
    return n_bytes >= expected


def put_image_in_place(unfinished: Path, file: Path) -> None:
    """Rename a finished image of any format. On a full disk, SimpleITK and nnU-Net silently cut NIfTI files short.

    Raises:
        OSError: naming the final file, if it is not whole or cannot be written to disk.
    """
    check_whole(unfinished, file)
    put_in_place(unfinished, file)


def check_whole(unfinished: Path, file: Path) -> None:
    """Raise OSError, naming the final file, if an image that was written is not whole."""
    if not is_whole(unfinished):
        raise OSError(f"{file} cannot be written: the file was cut short. Is the disk full?")


def contradiction(file: Path, grid: VoxelGrid) -> str | None:
    """Return a sentence if programs place the image differently, since its header is incomplete or contradictory.

    Args:
        file: of the image.
        grid: where SimpleITK places it.

    Returns:
        None if SimpleITK, nibabel, sform and qform agree, as far as they exist.
    """
    places = {"SimpleITK": grid, **_coded_grids(file)}
    with suppress(ValueError):
        places["nibabel"] = grid_of(file)
    others = {
        name: place for name, place in places.items() if place.distance_in_voxels(grid) > GRID_TOLERANCE
    }
    if not others:
        return None
    words = "; ".join(f"{name} {place}" for name, place in {"SimpleITK": grid, **others}.items())
    return f"{file} does not say clearly where it lies, and programs place it differently: {words}"


def _coded_grids(file: Path) -> dict[str, VoxelGrid]:
    """Grids of sform and qform, where these are in use and can be read."""
    image = load(file)
    found = {}
    for name, read in (("sform", image.header.get_sform), ("qform", image.header.get_qform)):
        with suppress(ValueError, HeaderDataError):
            affine, code = read(coded=True)
            if code and np.linalg.det(affine[:3, :3]) != 0:
                found[name] = VoxelGrid.of_affine(image.shape[:3], affine)
    return found


def _is_compressed(file: Path) -> bool:
    with file.open("rb") as stream:
        return stream.read(2) == _GZIP


def _open(file: Path) -> "gzip.GzipFile | BinaryIO":
    return gzip.open(file) if _is_compressed(file) else file.open("rb")


def _ends_compressed(file: Path) -> bool:
    return file.name.casefold().endswith(".gz")


def _load_misnamed(file: Path) -> nibabel.Nifti1Image:
    content = file.read_bytes()
    version = (
        nibabel.Nifti2Image if isinstance(_raw_header(file), nibabel.Nifti2Header) else nibabel.Nifti1Image
    )
    return version.from_bytes(gzip.decompress(content) if content[:2] == _GZIP else content)


def _raw_header(file: Path) -> nibabel.Nifti1Header:
    """The header as it is written; nibabel would correct it when reading."""
    try:
        with _open(file) as stream:
            block = stream.read(_HEADER_BYTES)
        size = struct.pack("<i", nibabel.Nifti2Header.sizeof_hdr)
        version = nibabel.Nifti2Header if block[:4] in (size, size[::-1]) else nibabel.Nifti1Header
        return version.from_fileobj(io.BytesIO(block), check=False)
    except _UNREADABLE as error:
        raise ValueError(f"{file} cannot be read as an image") from error
