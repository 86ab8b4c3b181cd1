"""Checks for values of settings that pyradiomics accepts but cannot compute with."""

import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from nnunetv2_adamss.common.kinds import is_number, list_of
from nnunetv2_adamss.radiomics.settings_file import leaves

# pyradiomics counts neighbours in matrices of bins x bins x 13 directions; with so many bins one takes 10 GB.
MAX_BINS = 10_000
# Its ends may be infinite, as those of "all above 0".
_RANGE = "resegmentRange"
_SMALLEST_SPACING_MM = 0.01
_BIN_WIDTH = "must be above 0, such as 25 for HU and 0.25 for SUV"
_BIN_COUNT = f"must be from 1 to {MAX_BINS:,}, such as 64"
_SPACING = (
    "must be three numbers of millimetres, of which each is 0 (keep the image's) or at least "
    f"{_SMALLEST_SPACING_MM:g}, such as [1, 1, 1]"
)


def impossible_values(settings: Mapping[str, Any], where: str) -> list[str]:
    """Describe the faults of values in a section of settings.

    Args:
        settings: by name; may hold sections of its own, as that of image types does.
        where: name of the section.
    """
    faults = []
    for path, value in leaves(settings):
        place = f"{' '.join(path)} in {where}"
        if isinstance(value, str) and _reads_as_number(value):
            faults.append(
                f"{place} is the text '{value:.40}'; write a number without quotes, in YAML with a point and a sign, "
                "such as 1.0e-3"
            )
        elif _is_unusable_number(value) and not _may_be_infinite(path, value):
            faults.append(f"{place} is {value!s:.40}, but must be a finite number")
    return faults or list(_out_of_range(settings, where))


def _may_be_infinite(path: tuple[str, ...], value: object) -> bool:
    return _RANGE in path and value in (-math.inf, math.inf)


def _is_unusable_number(value: object) -> bool:
    """Return True for infinity, NaN, and integers that are too large for a float."""
    return isinstance(value, int | float) and not isinstance(value, bool) and not is_number(value)


def _reads_as_number(text: str) -> bool:
    """Return True if a text reads as a number; "infinity", a norm of pyradiomics, does not."""
    with suppress(ValueError):
        float(text)
        return any(character.isdigit() for character in text)
    return False


def _out_of_range(settings: Mapping[str, Any], where: str) -> Iterator[str]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _out_of_range(value, f"{where} {name}")
        elif name == "binWidth" and is_number(value) and not value > 0:
            yield f"binWidth in {where} is {value:g}, but {_BIN_WIDTH}"
        elif name == "binCount" and is_number(value) and not 1 <= value <= MAX_BINS:
            yield f"binCount in {where} is {value:g}, but {_BIN_COUNT}"
        elif name == "resampledPixelSpacing" and value is not None and not _are_spacings(value):
            yield f"resampledPixelSpacing in {where} is {value!s:.60}, but {_SPACING}"


def _are_spacings(value: object) -> bool:
    return list_of(lambda side: is_number(side) and (side == 0 or side >= _SMALLEST_SPACING_MM), 3)(value)
