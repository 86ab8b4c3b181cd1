"""Contents of JSON files that something has happened to."""

from collections.abc import Callable
from pathlib import Path

# Of the file's former content.
MISSHAPEN: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda before: b"",
    "null": lambda before: b"null",
    "a list": lambda before: b"[]",
    "an object without entries": lambda before: b"{}",
    "a number": lambda before: b"3",
    "a text": lambda before: b'"x"',
    "a list of null": lambda before: b"[null]",
    "brackets without end": lambda before: b"[" * 200_000,
    "half of it": lambda before: before[: len(before) // 2],
    "no UTF-8": lambda before: before.replace(b'"', b'"\xff', 1),
    "a number of 5,000 digits": lambda before: b'{"fold": ' + b"7" * 5000 + b"}",
    "NaN": lambda before: b'{"fold": NaN, "settings": Infinity}',
    "an entry twice": lambda before: b'{"a": 1, "a": 2}',
}


def misshape(file: Path, kind: str) -> Callable[[], object]:
    """Spoil a file; returns what brings it back."""
    before = file.read_bytes()
    file.write_bytes(MISSHAPEN[kind](before))
    return lambda: file.write_bytes(before)
