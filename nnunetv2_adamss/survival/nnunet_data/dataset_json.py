"""nnU-Net's description of a data set, beside any folders of images and masks."""

from pathlib import Path
from typing import Any

from nnunetv2_adamss.common.json_object import Kind, read_known_object
from nnunetv2_adamss.common.kinds import by_name, is_count, is_text, list_of, optional

_DATASET_JSON = "dataset.json"


def find_dataset_json(images: Path, masks: Path) -> Path | None:
    """Where nnU-Net puts it: beside predicted masks, or above the images of a raw data set."""
    candidates = [folder / _DATASET_JSON for folder in (masks, images, images.resolve().parent)]
    return next((file for file in candidates if file.is_file()), None)


def read_dataset_json(file: Path, *needed: str) -> dict[str, Any]:
    """Content of a ``dataset.json``; what is there of endings, channels, labels and files is as nnU-Net needs it.

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


def _are_channels(value: Any) -> bool:
    return isinstance(value, dict) and all(number.isascii() and number.isdigit() for number in value)


def _is_label(value: Any) -> bool:
    """One value of masks, or those of a region."""
    return is_count(value) or (list_of(is_count)(value) and len(value) > 0)


def _is_case(value: Any) -> bool:
    return isinstance(value, dict) and list_of(is_text)(value.get("images")) and is_text(value.get("label"))


def _is_ending(value: Any) -> bool:
    return is_text(value) and value.startswith(".")


_KINDS: dict[str, Kind] = {
    "file_ending": _is_ending,
    "overwrite_image_reader_writer": optional(is_text),
    "channel_names": _are_channels,
    "modality": _are_channels,
    "labels": by_name(_is_label),
    "regions_class_order": list_of(is_count),
    "dataset": by_name(_is_case),
}
