"""NIfTI files, of which SimpleITK and nnU-Net do not say that the disk was too full to hold them."""

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

from nnunetv2_adamss.common.files import put_in_place

_HEADER_BYTES = 348
_CHUNK = 1 << 22


def put_image_in_place(unfinished: Path, file: Path) -> None:
    """Rename a finished image of any format; a NIfTI file that was cut short is an error.

    Raises:
        OSError: naming the final file, if it is not whole or the disk does not take it.
    """
    if not is_whole(unfinished):
        raise OSError(f"{file} cannot be written: the file was cut short. Is the disk full?")
    put_in_place(unfinished, file)


def is_whole(file: Path) -> bool:
    """Whether a NIfTI file holds all voxels that its header tells of; files of other formats count as whole."""
    if not file.name.endswith((".nii", ".nii.gz")):
        return True
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as stream:
            return _holds_all(stream)
    except (EOFError, OSError, zlib.error, struct.error):
        return False


def _holds_all(stream: "BinaryIO | gzip.GzipFile") -> bool:
    header = stream.read(_HEADER_BYTES)
    (header_bytes,) = struct.unpack_from("<i", header)
    # NIfTI-1: the number of axes and their lengths, bits of a voxel, and where the voxels begin.
    n_axes, *lengths = struct.unpack_from("<8h", header, 40)
    (bits,), (begin,) = struct.unpack_from("<h", header, 72), struct.unpack_from("<f", header, 108)
    n_bytes, is_known = len(header), header_bytes == _HEADER_BYTES
    # To the end: the check sum of a compressed file comes last.
    while chunk := stream.read(_CHUNK):
        n_bytes += len(chunk)
    return not is_known or n_bytes >= int(begin) + math.prod(lengths[:n_axes]) * bits // 8
