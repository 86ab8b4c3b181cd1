"""Interface for showing the progress of a long evaluation."""

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

_Item = TypeVar("_Item")


class Progress(Protocol):
    """A progress bar, or another way to show progress, around a sequence."""

    def __call__(self, items: Sequence[_Item], what: str) -> Iterable[_Item]:
        """Iterate over the items and show progress; ``what`` is the word for them that the user sees."""


def silent(items: Sequence[_Item], what: str) -> Iterable[_Item]:
    """Return the items without showing progress."""
    return items
