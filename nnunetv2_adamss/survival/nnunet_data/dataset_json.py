"""nnU-Net's description of a data set, beside any folders of images and masks."""

from pathlib import Path
from typing import Any

from nnunetv2_adamss.common.files import read_json

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
        content = read_json(file)
    except OSError as error:
        raise ValueError(f"{file} cannot be read as JSON ({error}).") from error
    if not isinstance(content, dict):
        raise ValueError(f"{file} does not describe a data set.")
    return content
