"""nnU-Net's description of a data set, beside any folders of images and masks."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nnunetv2_adamss.common.json_object import read_known_object
from nnunetv2_adamss.common.kinds import Kind, by_channel, by_name, holding, is_count, list_of, optional

_DATASET_JSON = "dataset.json"


def find_dataset_json(images: Path, masks: Path) -> Path | None:
    """Find ``dataset.json`` beside predicted masks, or above the images of a raw data set."""
    candidates = [folder / _DATASET_JSON for folder in (masks, images, images.resolve().parent)]
    return next((file for file in candidates if file.is_file()), None)


def read_dataset_json(file: Path, *needed: str) -> dict[str, Any]:
    """Read a ``dataset.json``, and check its endings, channels, labels and files as far as they are given.

    Args:
        file: of any folder.
        needed: entries that must be there.

    Raises:
        ValueError: naming the file, if it cannot be read or holds something else.
    """
    try:
        return read_known_object(file, _KINDS, needed)
    except OSError as error:
        raise ValueError(f"{file} cannot be read as JSON ({error}).") from error


def ignore_label_of(dataset_json: Mapping[str, Any]) -> int | None:
    """Return the value of masks that is neither tumour nor background, if there is one."""
    label: int | None = dataset_json.get("labels", {}).get("ignore")
    return label


def _is_label(value: Any) -> bool:
    """Return True for one value of masks, or for those of a region."""
    return is_count(value) or (list_of(is_count)(value) and len(value) > 0)


def _is_ending(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(".")


_KINDS: dict[str, Kind] = {
    "file_ending": _is_ending,
    "overwrite_image_reader_writer": optional(str),
    "channel_names": by_channel(object),
    "modality": by_channel(object),
    "labels": by_name(_is_label),
    "regions_class_order": list_of(is_count),
    "dataset": by_name(holding(images=list_of(str), label=str)),
}
