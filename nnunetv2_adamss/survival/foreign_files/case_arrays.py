"""The header of a ``.b2nd`` file: an array, whole, and nothing that the library would compute from code in it."""

from pathlib import Path

_MAGIC = b"b2frame\0"
# Places in the header of a contiguous frame (C-Blosc2's README_CFRAME_FORMAT): big-endian sizes in bytes.
_HEADER_SIZE, _FILE_SIZE = slice(11, 15), slice(16, 24)
# Such files hold an expression, source code or the name of a class instead of numbers; blosc2 before version 4 runs it.
_NOT_NUMBERS = (b"LazyArray", b"proxy-source", b"b2o")


def check_array_file(file: Path) -> None:
    """Raise ValueError, naming the file, unless it is one array of numbers; its numbers are not looked at.

    Raises:
        FileNotFoundError: if it is not there.
    """
    with file.open("rb") as stream:
        start = stream.read(_FILE_SIZE.stop)
        header_size = int.from_bytes(start[_HEADER_SIZE], "big")
        # Names of what a frame holds lie in its header. A damaged size must not make it large.
        header = start + stream.read(min(header_size, 1 << 20))
    if start[2 : 2 + len(_MAGIC)] != _MAGIC:
        reason = "is no array file of nnU-Net"
    elif int.from_bytes(start[_FILE_SIZE], "big") != file.stat().st_size:
        reason = "is cut short or damaged"
    elif any(name in header for name in _NOT_NUMBERS):
        reason = "holds code instead of numbers, which is not run"
    else:
        return
    raise ValueError(f"{file} {reason}. Preprocess the data set again (nnUNetv2_preprocess).")
