"""Which channel of a data set is the PET and which the CT: nnU-Net knows channels by what users call them."""

import re
from collections.abc import Sequence
from typing import Literal

from nnunetv2_adamss.survival.messages import listed

Modality = Literal["CT", "PET"]
# What a modality is called, and what names of it have in them where none is called so.
_NAMES: dict[Modality, tuple[str, ...]] = {"CT": ("ct",), "PET": ("pet", "pt", "suv", "fdg")}
_PARTS: dict[Modality, re.Pattern[str]] = {
    "CT": re.compile(r"(?<![a-z])ct(?![a-z])"),
    "PET": re.compile("pet|suv"),
}


def is_ct(channel_name: str) -> bool:
    """By nnU-Net's own rule, which decides on the normalisation."""
    return _is_called(channel_name, "CT")


def is_pet(channel_name: str) -> bool:
    """By what people call it: nnU-Net has no rule."""
    return _is_called(channel_name, "PET") or _has_part(channel_name, "PET")


def find_channel(channel_names: Sequence[str], modality: Modality) -> int:
    """Number of the one channel that is called by the modality, such as ``PET``, or else has it in its name.

    Args:
        channel_names: in the order of the channels.
        modality: which to look for.

    Raises:
        ValueError: if it is not exactly one.
    """
    called = [i for i, name in enumerate(channel_names) if _is_called(name, modality)]
    found = called or [i for i, name in enumerate(channel_names) if _has_part(name, modality)]
    if len(found) != 1:
        raise ValueError(
            f"Which channel is the {modality} is not clear from dataset.json ({listed(list(channel_names))})."
        )
    return found[0]


def _is_called(channel_name: str, modality: Modality) -> bool:
    return channel_name.casefold() in _NAMES[modality]


def _has_part(channel_name: str, modality: Modality) -> bool:
    return _PARTS[modality].search(channel_name.casefold()) is not None
