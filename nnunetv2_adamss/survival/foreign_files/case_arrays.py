"""Check that a ``.b2nd`` file holds a whole array, and no code that the library would run."""

from pathlib import Path

_MAGIC = b"b2frame\0"
# Positions in the header of a contiguous frame (C-Blosc2's README_CFRAME_FORMAT): big-endian sizes in bytes.
_HEADER_SIZE, _FILE_SIZE = slice(11, 15), slice(16, 24)
# The header's fixed part ends with the number of metalayers, whose names follow: a byte with the length, the name, and
# five bytes of its position.
_N_NAMES, _NAMES_START, _AFTER_NAME = slice(92, 94), 94, 5
# Other names mean an expression, source code or objects instead of numbers, which blosc2 may run.
_ARRAY = [b"b2nd"]


def check_array_file(file: Path) -> None:
    """Raise ValueError, naming the file, unless it is one array of numbers; the numbers are not read.

    Raises:
        FileNotFoundError: if it is not there.
    """
    with file.open("rb") as stream:
        start = stream.read(_FILE_SIZE.stop)
        header_size = int.from_bytes(start[_HEADER_SIZE], "big")
        # The header names the content of the frame. A damaged size must not make it large.
        header = start + stream.read(min(header_size, 1 << 20))
    if start[2 : 2 + len(_MAGIC)] != _MAGIC:
        reason = "is not an array file of nnU-Net"
    elif int.from_bytes(start[_FILE_SIZE], "big") != file.stat().st_size:
        reason = "is cut short or damaged"
    elif _metalayers(header) != _ARRAY:
        reason = "holds something else than an array of numbers, such as code, which is not run"
    else:
        return
    raise ValueError(f"{file} {reason}. Preprocess the data set again (nnUNetv2_preprocess).")


def _metalayers(header: bytes) -> list[bytes]:
    """Names of the metalayers in the header, which describe the content."""
    names, place = [], _NAMES_START
    for _ in range(int.from_bytes(header[_N_NAMES], "big")):
        if place >= len(header):
            break
        length = header[place] & 0x1F
        names.append(header[place + 1 : place + 1 + length])
        place += 1 + length + _AFTER_NAME
    return names
