"""What shows how far a long evaluation is."""

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

_Item = TypeVar("_Item")


class Progress(Protocol):
    """Wraps what is gone through one by one."""

    def __call__(self, items: Sequence[_Item], what: str) -> Iterable[_Item]:
        """The same items; ``what`` they are, for people."""


def silent(items: Sequence[_Item], what: str) -> Iterable[_Item]:
    """Show nothing."""
    return items
