"""How many things are named in a message: a few, and how many there are."""

from collections.abc import Sequence

MAX_EXAMPLES = 5


def listed(names: Sequence[str]) -> str:
    """The first five names, and how many there are if these are not all."""
    shown = ", ".join(names[:MAX_EXAMPLES])
    return shown if len(names) <= MAX_EXAMPLES else f"{shown}, ... ({len(names)} in all)"
