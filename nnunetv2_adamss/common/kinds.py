"""Check values from files: finite numbers, lists of texts, objects with certain entries, and so on.

Not pydantic: most files are other programs', and each reader needs different entries, so models would be longer.
"""

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from nnunetv2_adamss.common.messages import listed

# Types, or a function that returns whether a value is valid. None is never of a type; true and false are no numbers.
Kind = type | tuple[type, ...] | Callable[[Any], bool]
_NOTHING = object()


def unfit(values: Any, kinds: Mapping[str, Kind], needed: Iterable[str] = ()) -> list[str]:
    """Names of values that are of the wrong kind, or needed and missing.

    Args:
        values: plain data.
        kinds: of all values that are known, by name, with dots between levels; those that are there are checked.
        needed: names of those that must be there.

    Returns:
        In the order of ``needed``, then of ``kinds``, without entries below one that is already listed.
    """
    required = dict.fromkeys(needed)
    found: list[str] = []
    for name in required | dict.fromkeys(kinds):
        value = _entry(values, name)
        is_fit = name not in required if value is _NOTHING else _is_of_kind(value, kinds.get(name, object))
        if not is_fit and not any(name.startswith(f"{above}.") for above in found):
            found.append(name)
    return found


def faults_of_kind(values: Any, kinds: Mapping[str, Kind], owner: str = "") -> list[str]:
    """Describe each value that is of the wrong kind or missing, where all of the kinds are needed.

    Args:
        values: plain data.
        kinds: by name, with dots between levels.
        owner: added to each name, such as `` of an estimator``.
    """
    found = {name: _entry(values, name) for name in unfit(values, kinds, kinds)}
    return [
        f"{name}{owner} is missing" if value is _NOTHING else f"{name}{owner} cannot be {repr(value)[:60]}"
        for name, value in found.items()
    ]


def check_kinds(values: Any, kinds: Mapping[str, Kind], owner: str = "") -> None:
    """Raise ValueError, naming all that is wrong, unless values are there and of these kinds."""
    if faults := faults_of_kind(values, kinds, owner):
        raise ValueError(listed(faults))


def _is_of_kind(value: Any, kind: Kind) -> bool:
    """Return True if a value is of a kind."""
    if not isinstance(kind, type | tuple):
        return kind(value)
    types = kind if isinstance(kind, tuple) else (kind,)
    return isinstance(value, types) and (not isinstance(value, bool) or bool in types or object in types)


def is_number(value: Any) -> bool:
    """Return True for a finite number that also fits into a float."""
    return _is_of_kind(value, (int, float)) and bool(abs(value) <= sys.float_info.max)


def is_positive(value: Any) -> bool:
    """Return True for a finite number above 0."""
    return is_number(value) and value > 0


def is_count(value: Any) -> bool:
    """Return True for an integer that is not negative."""
    return _is_of_kind(value, int) and value >= 0


def number_within(lowest: float, highest: float) -> Callable[[Any], bool]:
    """Kind of finite numbers between two bounds, which are included."""
    return lambda value: is_number(value) and lowest <= value <= highest


def optional(kind: Kind) -> Callable[[Any], bool]:
    """Kind of values that are None or of another kind."""
    return lambda value: value is None or _is_of_kind(value, kind)


def list_of(kind: Kind, *lengths: int) -> Callable[[Any], bool]:
    """Kind of lists and tuples of one kind; of any length, also empty, if none is given."""
    return lambda value: (
        isinstance(value, list | tuple)
        and (not lengths or len(value) in lengths)
        and all(_is_of_kind(item, kind) for item in value)
    )


def by_name(kind: Kind) -> Callable[[Any], bool]:
    """Kind of objects whose values are of one kind; they may be empty."""
    return lambda value: isinstance(value, dict) and all(_is_of_kind(item, kind) for item in value.values())


def by_channel(kind: Kind) -> Callable[[Any], bool]:
    """Kind of objects by channel number whose values are of one kind; they may be empty."""
    return lambda value: by_name(kind)(value) and all(name.isascii() and name.isdigit() for name in value)


def holding(**kinds: Kind) -> Callable[[Any], bool]:
    """Kind of objects with at least these entries."""
    return lambda value: not unfit(value, kinds, kinds)


def _entry(values: Any, name: str) -> Any:
    """A value by its name, with dots between levels."""
    for part in name.split("."):
        if not isinstance(values, Mapping) or part not in values:
            return _NOTHING
        values = values[part]
    return values
