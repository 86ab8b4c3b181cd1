"""Shorten lists and values in messages: a few names and their number, the beginning of a long value and its length."""

from collections.abc import Sequence

MAX_EXAMPLES = 5
_MAX_CHARACTERS, _SHOWN_CHARACTERS = 60, 20


def listed(names: Sequence[str]) -> str:
    """The first five names, and how many there are if these are not all."""
    shown = ", ".join(names[:MAX_EXAMPLES])
    return shown if len(names) <= MAX_EXAMPLES else f"{shown}, ... ({len(names)} in all)"


def shortened(value: object) -> str:
    """A value as text; if it has more than 60 characters, the first 20 and the length."""
    text = str(value)
    if len(text) <= _MAX_CHARACTERS:
        return text
    return f"{text[:_SHOWN_CHARACTERS]}... ({len(text)} characters)"


def quoted(value: object) -> str:
    """A value in quotation marks; if it has more than 60 characters, the first 20, followed by the length."""
    text = str(value)
    if len(text) <= _MAX_CHARACTERS:
        return f"'{text}'"
    return f"'{text[:_SHOWN_CHARACTERS]}...' ({len(text)} characters)"
