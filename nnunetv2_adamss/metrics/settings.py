"""Check the settings of all metrics: each is a single number within the range that has a meaning."""

import math
from collections.abc import Callable, Mapping
from numbers import Integral, Real
from typing import Any

from nnunetv2_adamss.common.messages import shortened


def check_settings(**settings: Any) -> tuple[Any, ...]:
    """Settings of a metric, as Python's own numbers.

    Args:
        settings: by name: ``horizon``, ``truncation_time``, ``n_resamples``, ``seed``, ``confidence``, ``most_groups``.
            Numbers of NumPy count as well, also as arrays without a dimension.

    Returns:
        In the same order.

    Raises:
        ValueError: if one is not a single number, or outside its range.
    """
    return tuple(_checked(name, value) for name, value in settings.items())


def _checked(name: str, value: Any) -> Any:
    number = value.item() if getattr(value, "ndim", None) == 0 else value
    is_allowed, words = _ALLOWED[name]
    if not isinstance(number, Real) or isinstance(number, bool) or not is_allowed(number):
        raise ValueError(f"'{name}' must be {words}, but is {_shown(value)}.")
    return number


def _shown(value: object) -> str:
    text = repr(value)
    return f"a {type(value).__name__}" if "\n" in text else shortened(text)


def _count_from(least: int) -> tuple[Callable[[Any], bool], str]:
    return (
        lambda value: isinstance(value, Integral) and int(value) >= least,
        f"a whole number of at least {least}",
    )


# By the name of a setting: the test of allowed numbers, and the words for them.
_ALLOWED: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "confidence": (lambda value: 0 < value < 1, "a number between 0 and 1, such as 0.95"),
    "horizon": (lambda value: value > 0 and math.isfinite(value), "a finite number above 0"),
    "most_groups": _count_from(1),
    # Without resamples there is no interval.
    "n_resamples": _count_from(0),
    "seed": _count_from(0),
    # Infinity lets every event count.
    "truncation_time": (lambda value: value > 0, "a number above 0"),
}
