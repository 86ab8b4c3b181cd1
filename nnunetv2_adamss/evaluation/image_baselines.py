"""Results from masks and images without training: baseline risk scores, and Dice of the masks."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from nnunetv2_adamss.common.case_names import check_case_names, is_leftover
from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.common.progress import Progress, silent
from nnunetv2_adamss.metrics.dice import LabelDice, dice_by_label
from nnunetv2_adamss.metrics.volume_and_uptake import SUV_MAX, TUMOUR_VOLUME, measure_tumour
from nnunetv2_adamss.survival.nnunet_data.dataset import channel_names
from nnunetv2_adamss.survival.nnunet_data.dataset_json import (
    find_dataset_json,
    ignore_label_of,
    read_dataset_json,
)
from nnunetv2_adamss.survival.nnunet_data.modalities import find_channel

BASELINE_NAMES = {TUMOUR_VOLUME: "tumour volume alone", SUV_MAX: "SUVmax alone"}
_DEFAULT_ENDING = ".nii.gz"


def baseline_scores(
    case_ids: Sequence[str],
    masks: Path,
    images: Path | None,
    pet_channel: int | None = None,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Measure tumour volume in ml and, with images, the highest PET value in the tumour; higher means more risk.

    Args:
        case_ids: of the patients.
        masks: folder of masks, one file a case.
        images: folder of images as nnU-Net names them.
        pet_channel: number of the PET; default the channel that ``dataset.json`` names so.
        progress: shows how far it is.

    Returns:
        Index ``case_id``.

    Raises:
        ValueError: if files are missing, or it is unknown which channel is the PET.
    """
    dataset_json = _dataset_json(images or masks, masks)
    ending = dataset_json.get("file_ending", _DEFAULT_ENDING)
    of_mask = {case_id: masks / f"{case_id}{ending}" for case_id in case_ids}
    of_pet: dict[str, Path] = {}
    if images is not None:
        channel = _pet_channel(dataset_json) if pet_channel is None else pet_channel
        of_pet = {case_id: images / f"{case_id}_{channel:04d}{ending}" for case_id in case_ids}
    _check_exist([*of_mask.values(), *of_pet.values()])
    ignore_label = ignore_label_of(dataset_json)
    rows = {
        case_id: measure_tumour(of_mask[case_id], of_pet.get(case_id), ignore_label)
        for case_id in progress(case_ids, "masks")
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("case_id")


def segmentation_dice(masks: Path, labels: Path, progress: Progress = silent) -> list[LabelDice]:
    """Measure the Dice of every mask in a folder against its reference, per label of ``dataset.json``.

    Args:
        masks: folder of predicted masks.
        labels: folder of references, one for each mask at least.
        progress: shows how far it is.

    Raises:
        ValueError: if there is no mask, a mask has no reference, or labels are not named.
    """
    dataset_json = _dataset_json(labels, masks)
    if not isinstance(dataset_json.get("labels"), dict):
        raise ValueError(f"There is no dataset.json beside {masks} or {labels} that names the labels.")
    ending = dataset_json.get("file_ending", _DEFAULT_ENDING)
    case_ids = masked_cases(masks, ending)
    _check_exist(labels / f"{case_id}{ending}" for case_id in case_ids)
    values = {
        name: tuple(value) if isinstance(value, list) else (value,)
        for name, value in dataset_json["labels"].items()
        if name != "ignore" and value != 0
    }
    cases = (
        (case_id, masks / f"{case_id}{ending}", labels / f"{case_id}{ending}")
        for case_id in progress(case_ids, "masks")
    )
    return dice_by_label(cases, values, ignore_label_of(dataset_json))


def masked_cases(masks: Path, ending: str = _DEFAULT_ENDING) -> list[str]:
    """Return the cases with a mask in a folder.

    Raises:
        ValueError: if there is none, or a name is not allowed for a case.
    """
    names = [file.name for file in masks.glob(f"*{ending}") if not is_leftover(file.name)]
    case_ids = sorted(name.removesuffix(ending) for name in names)
    check_case_names(masks, case_ids)
    if not case_ids:
        raise ValueError(f"There are no masks that end in {ending} in {masks}.")
    return case_ids


def _dataset_json(images: Path, masks: Path) -> dict[str, Any]:
    missing = [str(folder) for folder in dict.fromkeys((images, masks)) if not folder.is_dir()]
    if missing:
        raise ValueError(f"There is no folder {' and no folder '.join(missing)}.")
    file = find_dataset_json(images, masks)
    return read_dataset_json(file) if file else {}


def _pet_channel(dataset_json: dict[str, Any]) -> int:
    channels = channel_names(dataset_json)
    if not channels:
        raise ValueError(
            "There is no dataset.json that names the PET; give the channel's number with --pet_channel."
        )
    try:
        return find_channel(channels, "PET")
    except ValueError as error:
        raise ValueError(f"{error} Give its number with --pet_channel.") from error


def _check_exist(files: Iterable[Path]) -> None:
    missing = [str(file) for file in files if not file.is_file()]
    if missing:
        raise ValueError(f"There are no files for some cases: {listed(missing)}.")
