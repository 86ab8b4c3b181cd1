"""How the report tells what it works through; the command shows bars."""

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

Item = TypeVar("Item")


class Progress(Protocol):
    """Wraps what is gone through, under a name for people."""

    def __call__(self, name: str, items: Sequence[Item], /) -> Iterable[Item]:
        """The same items, in the same order."""
        ...


def silently(_: str, items: Sequence[Item], /) -> Iterable[Item]:
    """Say nothing."""
    return items
