"""Write a plan in which nnU-Net normalises CT and PET by other rules, or trains with other batches."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from nnunetv2_adamss.common.files import write_atomically
from nnunetv2_adamss.survival.nnunet_data.adamss_plans import ADAMSS_PLANS
from nnunetv2_adamss.survival.nnunet_data.ct_window import (
    CT_NORMALIZATION,
    PAPER_WINDOW_HU,
    PERCENTILES,
    PROPERTIES,
)
from nnunetv2_adamss.survival.nnunet_data.dataset import (
    PREPROCESSED,
    channel_names,
    dataset_folder,
    dataset_name,
    read_plans,
)
from nnunetv2_adamss.survival.nnunet_data.modalities import find_channel

CTRule = Literal["paper", "nnunet"]
PETRule = Literal["zscore", "suv"]
_PER_IMAGE = "ZScoreNormalization"
SUV_WINDOW = (0.0, 25.0)
# choice: SUV 0 becomes 0, which is what nnU-Net pads with, and tumours of SUV 5 to 15 become 1 to 3, about what a
# z-score makes of them.
SUV_PER_UNIT = 5.0


def write_plans(
    dataset: str,
    plans_name: str,
    name: str | None,
    *,
    ct_rule: CTRule,
    pet_rule: PETRule,
    batch_size: int | None = None,
    overwrite: bool,
) -> Path:
    """Write a copy of a data set's plan beside it, by the rules of ``plans_with``.

    Args:
        dataset: id or name.
        plans_name: of the plan as nnU-Net wrote it.
        name: of the copy; None for ``AdaMSSPlans``, or for other rules or another plan a name that contains them.
        ct_rule: ``paper`` or ``nnunet``.
        pet_rule: ``zscore`` or ``suv``.
        batch_size: of 3D configurations; None for nnU-Net's.
        overwrite: whether another plan of this name is replaced.

    Returns:
        The file; its name without ending is that of the copy.

    Raises:
        ValueError: if there is no plan, the copy would replace it or, without ``overwrite``, another one.
    """
    name = name or _default_name(plans_name, ct_rule, pet_rule)
    if name == plans_name:
        raise ValueError(
            f"{name} is the plan itself; give the copy another name, since cases are preprocessed by it."
        )
    folder_name = dataset_name(dataset)
    plans, dataset_json = read_plans(folder_name, plans_name)
    channels = channel_names(dataset_json)
    ct, pet = (find_channel(channels, modality) for modality in ("CT", "PET"))
    changed = plans_with(
        plans, name, ct=ct, ct_rule=ct_rule, pet=pet, pet_rule=pet_rule, batch_size=batch_size
    )
    text = json.dumps(changed, indent=4)
    file = dataset_folder(PREPROCESSED, folder_name) / f"{name}.json"
    if file.exists() and file.read_text(encoding="utf-8") != text and not overwrite:
        raise ValueError(f"{file} is another plan; replace it with --overwrite, or name the copy with -o.")
    write_atomically(file, text)
    return file


def _default_name(plans_name: str, ct_rule: CTRule, pet_rule: PETRule) -> str:
    if (plans_name, ct_rule, pet_rule) == ("nnUNetPlans", "paper", "zscore"):
        return ADAMSS_PLANS
    return f"{plans_name}_CT{ct_rule}_PET{pet_rule}"


def plans_with(
    plans: Mapping[str, Any],
    name: str,
    *,
    ct: int,
    ct_rule: CTRule,
    pet: int,
    pet_rule: PETRule,
    batch_size: int | None = None,
) -> dict[str, Any]:
    """Return a copy of nnU-Net's plans that normalises CT and PET by other rules.

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
        batch_size: of 3D configurations; None for nnU-Net's.
    """
    changed = copy.deepcopy(dict(plans))
    changed["plans_name"] = name
    if ct_rule == "paper":
        _clip(changed, ct, *PAPER_WINDOW_HU, scale=PAPER_WINDOW_HU[1])
    if pet_rule == "suv":
        _clip(changed, pet, *SUV_WINDOW, scale=SUV_PER_UNIT)
    schemes = {ct: CT_NORMALIZATION, pet: _PER_IMAGE if pet_rule == "zscore" else CT_NORMALIZATION}
    for configuration_name, configuration in changed["configurations"].items():
        if "data_identifier" in configuration:
            configuration["data_identifier"] = f"{name}_{configuration_name}"
        if "normalization_schemes" in configuration:
            for channel, scheme in schemes.items():
                configuration["normalization_schemes"][channel] = scheme
        if batch_size is not None and len(configuration.get("patch_size", ())) == 3:
            configuration["batch_size"] = batch_size
    return changed


def _clip(plans: dict[str, Any], channel: int, lowest: float, highest: float, scale: float) -> None:
    """Make nnU-Net's CTNormalization, ``(clip(x) - mean) / std``, divide by ``scale``."""
    properties = plans[PROPERTIES][str(channel)]
    properties |= {"mean": 0.0, "std": scale, **dict(zip(PERCENTILES, (lowest, highest), strict=True))}
