"""Files that are there whole or not at all, and what they were made from."""

import hashlib
import json
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any


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


def read_json(file: Path) -> Any:
    """What a JSON file holds.

    Raises:
        ValueError: if it is damaged, such as by a copy that was cut short.
        FileNotFoundError: if it is not there.
    """
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:  # also of bytes that are no text
        raise ValueError(f"{file} cannot be read as JSON ({error}).") from error


def sha256_of(file: Path) -> str:
    """Hash of a file's content, as hexadecimal digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
