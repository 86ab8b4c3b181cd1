"""Format numbers for readers; a missing value is a dash, never nan."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # so that commands answer --help quickly
    from collections.abc import Callable, Mapping, Sequence

    from nnunetv2_adamss.metrics.estimate import Estimate

NONE = "–"  # noqa: RUF001  a dash, as journals print it


def number(value: float | None, digits: int = 2) -> str:
    """Format with this number of decimals; a dash for None, nan and infinity."""
    return NONE if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def three_decimals(value: float | None) -> str:
    """Format a C-index, Brier score or Dice."""
    return number(value, 3)


def significant(value: float | None, digits: int = 3) -> str:
    """Format with this number of significant digits, without exponent below a million; a dash for no number."""
    if value is None or not math.isfinite(value):
        return NONE
    text = f"{value:.{digits}g}"
    return f"{value:.0f}" if "e+" in text and abs(value) < 1e6 else text


def time(value: float | None, unit: str) -> str:
    """Format an observed time, ``870.5 days``; None is a median that was not reached."""
    return "not reached" if value is None else f"{significant(value, 6)} {unit}"


def duration(seconds: float) -> str:
    """Format seconds, minutes or hours: ``45 s``, ``12 min``, ``3.4 h``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def percent(part: float, whole: float = 1.0) -> str:
    """Format a share in per cent, without decimals; a dash if the whole is 0."""
    return f"{100 * part / whole:.0f}%" if whole else NONE


def probability(value: float | None) -> str:
    """Format a probability in per cent, never 0% or 100%, which would be certain; a dash for no number."""
    if value is None or not math.isfinite(value):
        return NONE
    if value < 0.01:
        return "< 1%"
    return "> 99%" if value > 0.99 else percent(value)


def with_interval(
    value: float | None,
    interval: Sequence[float] | None,
    shown: Callable[[float], str] = three_decimals,
) -> str:
    """Format a value and its interval, ``0.713 [0.604, 0.811]``; a dash without a value."""
    if value is None or not math.isfinite(value):
        return NONE
    return shown(value) + ("" if interval is None else f" [{', '.join(map(shown, interval))}]")


def estimate(found: Estimate, shown: Callable[[float], str] = three_decimals) -> str:
    """Format a value and its interval; the reason if one is missing."""
    if found.value is None:
        return found.reason or NONE
    return with_interval(found.value, found.interval, shown) + (f"; {found.reason}" if found.reason else "")


def p_value(value: float | None, sign: str = "") -> str:
    """Format a P value as journals do, with a sign before values that are not below 0.001."""
    if value is None or not math.isfinite(value):
        return NONE
    return "< 0.001" if value < 0.001 else f"{sign}{value:.3f}"


def count(n: int, one: str, many: str | None = None) -> str:
    """Format a number with its noun, ``1 event``, ``2 events``."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def joined(names: Sequence[str]) -> str:
    """Join names as ``a, b and c``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else "none"


def sentence(text: str) -> str:
    """Turn a reason into a full sentence."""
    return f"{text[:1].upper()}{text[1:]}."


def missing_values(counts: Mapping[str, int]) -> str:
    """List columns with the number of patients whose value is missing."""
    return ", ".join(f"{name} {n}" for name, n in counts.items() if n) or "none"


class Reasons:
    """Cells of a table, and the reasons for empty ones, each of them once."""

    def __init__(self) -> None:
        self._rows: dict[str, list[str]] = {}

    def cell(self, row: str, found: Estimate, shown: Callable[[float], str] = three_decimals) -> str:
        """Format value and interval of a row; a dash if there is none."""
        if found.reason:
            rows = self._rows.setdefault(found.reason, [])
            rows += [] if row in rows else [row]
        return with_interval(found.value, found.interval, shown)

    def notes(self, *texts: str) -> list[str]:
        """Return sentences with the reasons, to print below the table."""
        why = "; ".join(f"{reason} ({', '.join(rows)})" for reason, rows in self._rows.items())
        return [*texts, *([f"What is missing: {why}."] if why else [])]
