"""Write an image so that a file of its name is complete or absent, even if other processes write it too."""

import os
import platform
from pathlib import Path

import SimpleITK as sitk

from nnunetv2_adamss.common.files import UNFINISHED, put_in_place, removed_on_failure
from nnunetv2_adamss.common.nifti import check_whole


def unfinished_name(file: Path, folder: Path | None = None) -> Path:
    """Return the name of a file while it is written: hidden, unique to this process, with the ending of the format.

    Args:
        file: the final name.
        folder: where the unfinished file lies, on the same disk; None for the folder of the final one.
    """
    return (folder or file.parent) / f"{UNFINISHED}_{platform.node()}_{os.getpid()}_{file.name}"


def save(image: sitk.Image, file: Path) -> None:
    """Write an image, compressed; its folder is made if need be.

    Raises:
        OSError: if it cannot be written, such as on a full disk; then no part of it stays.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with removed_on_failure(file, file):
        sitk.WriteImage(image, str(file), useCompression=True)
        check_whole(file, file)


def save_atomically(image: sitk.Image, file: Path) -> None:
    """Write under another name in the same folder, then rename."""
    unfinished = unfinished_name(file)
    with removed_on_failure(file, unfinished):
        save(image, unfinished)
        put_in_place(unfinished, file)
