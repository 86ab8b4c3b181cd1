"""How nnU-Net normalises CT and PET, written into a plan of its own."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Literal

CTRule = Literal["paper", "nnunet"]
PETRule = Literal["zscore", "suv"]
_FIXED, _PER_IMAGE = "CTNormalization", "ZScoreNormalization"
_PROPERTIES = "foreground_intensity_properties_per_channel"
_PERCENTILES = ("percentile_00_5", "percentile_99_5")  # where CTNormalization clips
SUV_WINDOW = (0.0, 25.0)
# choice: SUV 0 becomes 0, which is what nnU-Net pads with, and tumours of SUV 5 to 15 become 1 to 3, about what a
# z-score makes of them.
SUV_PER_UNIT = 5.0


def plans_with(
    plans: Mapping[str, Any],
    name: str,
    *,
    ct: int,
    ct_rule: CTRule,
    pet: int,
    pet_rule: PETRule,
) -> dict[str, Any]:
    """A copy of nnU-Net's plans that normalises CT and PET by other rules.

    - CT ``paper``: clipped to +-1024 HU, divided by 1024. ``nnunet``: as nnU-Net planned from the fingerprint.
    - PET ``zscore``: of each image, as in the paper. ``suv``: clipped to SUV 0 to 25 and divided by 5, so that one SUV
      is one number in every image, however much of the body it shows.

    Preprocessed cases lie in folders that the plans name, so the copy names its own.

    Args:
        plans: content of a plans file as nnU-Net wrote it.
        name: identifier of the copy.
        ct: number of the CT channel.
        ct_rule: ``paper`` or ``nnunet``.
        pet: number of the PET channel.
        pet_rule: ``zscore`` or ``suv``.
    """
    changed = copy.deepcopy(dict(plans))
    changed["plans_name"] = name
    if ct_rule == "paper":
        _clip(changed, ct, -1024.0, 1024.0, scale=1024.0)
    if pet_rule == "suv":
        _clip(changed, pet, *SUV_WINDOW, scale=SUV_PER_UNIT)
    schemes = {ct: _FIXED, pet: _PER_IMAGE if pet_rule == "zscore" else _FIXED}
    for configuration_name, configuration in changed["configurations"].items():
        if "data_identifier" in configuration:
            configuration["data_identifier"] = f"{name}_{configuration_name}"
        if "normalization_schemes" in configuration:
            for channel, scheme in schemes.items():
                configuration["normalization_schemes"][channel] = scheme
    return changed


def _clip(plans: dict[str, Any], channel: int, lowest: float, highest: float, scale: float) -> None:
    """Make nnU-Net's CTNormalization, ``(clip(x) - mean) / std``, divide by ``scale``."""
    properties = plans[_PROPERTIES][str(channel)]
    properties |= {"mean": 0.0, "std": scale, **dict(zip(_PERCENTILES, (lowest, highest), strict=True))}
