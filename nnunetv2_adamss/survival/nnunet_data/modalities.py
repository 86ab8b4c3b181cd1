"""Find the PET and the CT among a data set's channels, whose names are the user's choice."""

import re
from collections.abc import Sequence
from typing import Literal

from nnunetv2_adamss.common.messages import listed

Modality = Literal["CT", "PET"]
# Names of a modality, and parts of names that are searched for if no channel has such a name.
_NAMES: dict[Modality, tuple[str, ...]] = {"CT": ("ct",), "PET": ("pet", "pt", "suv", "fdg")}
_PARTS: dict[Modality, re.Pattern[str]] = {
    "CT": re.compile(r"(?<![a-z])ct(?![a-z])"),
    "PET": re.compile("pet|suv"),
}


def find_channel(channel_names: Sequence[str], modality: Modality) -> int:
    """Find the number of the one channel that is named by the modality, such as ``PET``, or else has it in its name.

    Args:
        channel_names: in the order of the channels.
        modality: to look for.

    Raises:
        ValueError: if it is not exactly one.
    """
    found = _channels(channel_names, modality)
    if len(found) != 1:
        raise ValueError(
            f"Which channel is the {modality} is not clear from dataset.json ({listed(list(channel_names))})."
        )
    return found[0]


def modalities(channel_names: Sequence[str]) -> list[Modality | None]:
    """Modality of each channel by the rule of :func:`find_channel`; None where it is not clear."""
    known: dict[int, Modality] = {}
    for modality in _NAMES:
        found = _channels(channel_names, modality)
        if len(found) == 1:
            known[found[0]] = modality
    return [known.get(number) for number in range(len(channel_names))]


def _channels(channel_names: Sequence[str], modality: Modality) -> list[int]:
    names = [name.casefold() for name in channel_names]
    called = [number for number, name in enumerate(names) if name in _NAMES[modality]]
    return called or [number for number, name in enumerate(names) if _PARTS[modality].search(name)]
