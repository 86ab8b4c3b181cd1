"""Atomic writing of files, reading of JSON, and hashes of contents."""

import hashlib
import json
import logging
import math
import os
import platform
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

logger = logging.getLogger(__name__)

UNFINISHED = ".unfinished"  # begins or ends the name of what is not complete yet
# Numbers of JSON become floats somewhere, which end at 1.8e308.
_MAX_DIGITS = 308


def given_path(name: str, value: Any, what: str) -> Path:
    """A path that a user gives from Python.

    Args:
        name: of the argument, for the message.
        value: text, or an object that stands for a path.
        what: the argument can be, in words.

    Raises:
        ValueError: if it is anything else.
    """
    if not isinstance(value, str | os.PathLike):
        raise ValueError(f"'{name}' must be {what}, but is a {type(value).__name__}.")
    return Path(value)


def write_atomically(file: Path, text: str) -> None:
    """Write text under a temporary name in the same folder, which is made if necessary, then rename."""
    replace_atomically(file, lambda unfinished: unfinished.write_text(text, encoding="utf-8"))


def write_json(file: Path, content: Any, *, indent: int | None = 2) -> None:
    """Write plain data as JSON, completely or not at all.

    Raises:
        ValueError: naming file and place, if a number is not finite, which JSON cannot express.
        OSError: naming the file, if it cannot be written.
    """
    write_atomically(file, _json_text(file, content, indent))


def create_json(file: Path, content: Any) -> bool:
    """Write plain data as JSON unless the file exists; of several processes that try at the same time, one writes.

    Returns:
        Whether it was written.

    Raises:
        ValueError: as from :func:`write_json`.
        OSError: naming the file, if it cannot be written.
    """
    text = _json_text(file, content, indent=2)
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f"{file.name}.{uuid4().hex}{UNFINISHED}")
    with removed_on_failure(file, unfinished):
        unfinished.write_text(text, encoding="utf-8")
        _sync(unfinished)
        try:
            os.link(unfinished, file)  # unlike renaming, this replaces nothing
        except OSError:
            if file.exists():
                return False
            os.replace(unfinished, file)  # a file system without links
        finally:
            unfinished.unlink(missing_ok=True)
    _sync_folder(file.parent)
    return True


def replace_atomically(file: Path, write: Callable[[Path], object]) -> None:
    """Write any content under a temporary name in the same folder, then rename.

    Args:
        file: the final name.
        write: gets the temporary name.

    Raises:
        OSError: naming the file, if it cannot be written, such as on a full disk; nothing is left behind.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    # For this process alone: parts of a job may write into one folder from several machines.
    unfinished = file.with_name(f"{file.name}.{platform.node()}_{os.getpid()}{UNFINISHED}")
    with removed_on_failure(file, unfinished):
        write(unfinished)
        put_in_place(unfinished, file)


@contextmanager
def removed_on_failure(file: Path, unfinished: Path) -> Iterator[None]:
    """Remove the unfinished file if writing it fails, and name the final file in the error.

    Args:
        file: the final name.
        unfinished: its name until it is complete.

    Raises:
        OSError: naming the file, if it cannot be written.
    """
    try:
        yield
    except BaseException as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        named = _named(error, file, unfinished)
        if named is error:
            raise
        raise named from error


def put_in_place(unfinished: Path, file: Path) -> None:
    """Rename a file once all of it is on disk: after a power cut, the new name has the whole content or none.

    Raises:
        OSError: if it cannot be written to disk.
    """
    _sync(unfinished)
    os.replace(unfinished, file)
    _sync_folder(file.parent)


def read_json(file: Path) -> Any:
    """Read the content of a JSON file.

    NaN and Infinity, which nnU-Net and version 0.1 wrote, are read; callers check the numbers that they use.

    Raises:
        ValueError: naming the file, if it is damaged, such as by a copy that was cut short, names an entry twice, is
            nested too deeply, or holds a number of more digits than a float can have.
        FileNotFoundError: if it is not there.
    """
    logger.debug("Reading %s", file)
    try:
        return parse_json(file.read_bytes())
    except ValueError as error:
        raise ValueError(f"{file} cannot be read as JSON ({error}).") from error


def parse_json(content: bytes) -> Any:
    """Parse the content of a JSON file as :func:`read_json` does; errors give the reason without the file."""
    try:
        text = content.decode("utf-8-sig")
        return json.loads(text, parse_int=_integer, object_pairs_hook=_without_repetition)
    except UnicodeDecodeError as error:
        raise ValueError("it is not text in UTF-8") from error
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def sha256_of(file: Path) -> str:
    """Hash of a file's content, as hexadecimal digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _named(error: BaseException, file: Path, unfinished: Path) -> BaseException:
    """The error, with the file's name added if it is about writing the file and does not name it."""
    if isinstance(error, OSError) and error.errno and error.filename in (None, str(unfinished)):
        return OSError(error.errno, os.strerror(error.errno), str(file))
    if type(error) is RuntimeError:  # torch's and SimpleITK's only kind
        return OSError(f"{file} cannot be written ({_reason(str(error))})")
    return error


def _reason(words: str) -> str:
    lines = words.strip().splitlines() or ["no reason given"]
    if any("Stream" in line or "inline_container" in line for line in lines):  # torch's, of a file
        return f"is the disk full? {lines[0].strip()}"
    # The lines before the last one give the place in SimpleITK's source.
    return (lines[-1] if "ITK" in words.upper() else lines[0]).strip()


def _json_text(file: Path, content: Any, indent: int | None) -> str:
    try:
        return json.dumps(content, indent=indent, allow_nan=False) + "\n"
    except ValueError as error:
        place = next(_not_finite(content), "somewhere")
        raise ValueError(f"{file} cannot be written: {place} is not a finite number.") from error


def _sync(file: Path) -> None:
    with file.open("rb+") as stream:
        os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    if sys.platform == "win32":
        return
    # Some file systems cannot do that; the content is on disk all the same.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise ValueError(f"the number {digits[:10]}... has {len(digits)} digits")
    return int(digits)


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"'{repeated}' occurs twice")
    return content


def _not_finite(content: Any, place: str = "") -> Iterator[str]:
    """Places of numbers that are not finite in plain data."""
    if isinstance(content, float) and not math.isfinite(content):
        yield f"'{place}'" if place else "it"
    items = (
        content.items() if isinstance(content, Mapping) else enumerate(content) if _is_list(content) else ()
    )
    for name, value in items:
        yield from _not_finite(value, f"{place}.{name}" if place else str(name))


def _is_list(content: Any) -> bool:
    return isinstance(content, list | tuple)
