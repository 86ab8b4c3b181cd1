"""Numbers as a reader wants to see them; what is missing is a dash, never a bare nan."""

import math
from collections.abc import Sequence

NONE = "–"  # noqa: RUF001  a dash for people


def number(value: float | None, digits: int = 2) -> str:
    """With so many decimals; a dash for None, nan and infinity."""
    return NONE if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def significant(value: float | None, digits: int = 3) -> str:
    """With so many significant digits and no exponent below a million; a dash for what is no number."""
    if value is None or not math.isfinite(value):
        return NONE
    text = f"{value:.{digits}g}"
    return f"{value:.0f}" if "e+" in text and abs(value) < 1e6 else text


def with_interval(value: float | None, interval: Sequence[float] | None, digits: int = 3) -> str:
    """A value and its interval, ``0.713 (0.604 to 0.811)``."""
    if value is None or interval is None:
        return number(value, digits)
    return f"{number(value, digits)} ({number(interval[0], digits)} to {number(interval[1], digits)})"


def p_value(value: float | None) -> str:
    """As journals print it."""
    if value is None or not math.isfinite(value):
        return NONE
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def percent(part: float, whole: float = 1.0) -> str:
    """Share in per cent, without decimals; a dash of nothing."""
    return f"{100 * part / whole:.0f}%" if whole else NONE


def count(n: int, one: str, many: str | None = None) -> str:
    """A number with its noun, ``1 event``, ``2 events``."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def joined(names: Sequence[str]) -> str:
    """``a, b and c``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else "none"
