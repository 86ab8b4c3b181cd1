"""Files that are there whole or not at all, and what they were made from."""

import hashlib
import os
import platform
from collections.abc import Callable
from pathlib import Path


def write_atomically(file: Path, text: str) -> None:
    """Write under a temporary name in the same folder, which is made if need be, then rename."""
    replace_atomically(file, lambda unfinished: unfinished.write_text(text, encoding="utf-8"))


def replace_atomically(file: Path, write: Callable[[Path], object]) -> None:
    """The same for any content: ``write`` gets the temporary name."""
    file.parent.mkdir(parents=True, exist_ok=True)
    # Of this process alone: parts of a job may write into one folder from several machines.
    unfinished = file.with_name(f"{file.name}.{platform.node()}_{os.getpid()}.unfinished")
    write(unfinished)
    os.replace(unfinished, file)


def sha256_of(file: Path) -> str:
    """Hash of a file's content, as hexadecimal digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
