"""The cases of any two folders of images and masks that are named as nnU-Net names them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nnunetv2_adamss.radiomics.request import RadiomicsCase

_DATASET_JSON = "dataset.json"


def find_dataset_json(images: Path, masks: Path) -> Path | None:
    """Where nnU-Net puts it: beside predicted masks, or above the images of a raw data set."""
    candidates = [folder / _DATASET_JSON for folder in (masks, images, images.resolve().parent)]
    return next((file for file in candidates if file.is_file()), None)


def read_dataset_json(file: Path) -> dict[str, Any]:
    """Its content.

    Raises:
        ValueError: if it cannot be read.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{file} cannot be read as JSON: {error}.") from error
    if not isinstance(content, dict):
        raise ValueError(f"{file} does not describe a data set.")
    return content


def cases_in(images: Path, masks: Path, channels: Sequence[str], file_ending: str) -> list[RadiomicsCase]:
    """All cases that have an image or a mask, by name; what one of them lacks is found when it is read.

    Args:
        images: ``CASE_0000`` and so on, one file a channel.
        masks: ``CASE``, one file a case.
        channels: their names, in order.
        file_ending: of all files.

    Raises:
        ValueError: if a folder does not exist or there is no file in either.
    """
    missing = [str(folder) for folder in (images, masks) if not folder.is_dir()]
    if missing:
        raise ValueError(f"There is no folder {' and no folder '.join(missing)}.")
    masked = {file.name.removesuffix(file_ending) for file in masks.glob(f"*{file_ending}")}
    imaged = {
        file.name.removesuffix(file_ending)[:-5]
        for file in images.glob(f"*_[0-9][0-9][0-9][0-9]{file_ending}")
    }
    if not masked | imaged:
        raise ValueError(f"There are no files that end in {file_ending} in {images} and {masks}.")
    return [
        RadiomicsCase(
            case_id,
            tuple(images / f"{case_id}_{channel:04d}{file_ending}" for channel in range(len(channels))),
            masks / f"{case_id}{file_ending}",
        )
        for case_id in sorted(masked | imaged)
    ]
