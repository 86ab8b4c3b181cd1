"""Whether values in files are of some kind: finite numbers, lists of texts, and so on."""

import math
from collections.abc import Callable
from typing import Any


def is_number(value: Any) -> bool:
    """A finite number, which true and false are not."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def is_count(value: Any) -> bool:
    """A whole number from 0 on."""
    return is_whole(value) and value >= 0


def is_text(value: Any) -> bool:
    """A text."""
    return isinstance(value, str)


def is_object(value: Any) -> bool:
    """An object."""
    return isinstance(value, dict)


def optional(kind: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Nothing, or something of a kind."""
    return lambda value: value is None or kind(value)


def list_of(kind: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """A list, or a tuple, of one kind; it may be empty."""
    return lambda value: isinstance(value, list | tuple) and all(map(kind, value))


def by_name(kind: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """An object whose values are of one kind; it may be empty."""
    return lambda value: isinstance(value, dict) and all(map(kind, value.values()))


def is_whole(value: Any) -> bool:
    """A whole number, which true and false are not."""
    return isinstance(value, int) and not isinstance(value, bool)


def checked(value: Any, kind: Callable[[Any], bool], name: str) -> Any:
    """The same value.

    Raises:
        ValueError: naming it, if it is not of the kind.
    """
    if not kind(value):
        raise ValueError(f"{name} cannot be {str(value)[:60]}")
    return value
