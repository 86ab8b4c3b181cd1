"""``prediction.json`` beside predictions: by which model they were made, and of whom."""

from pathlib import Path
from typing import Any

from nnunetv2_adamss.common.json_object import Kind, read_known_object
from nnunetv2_adamss.common.kinds import by_name, is_number, is_text, list_of, optional

# All that a report shows.
OF_REPORT = (
    "dataset", "trainer", "plans", "configuration", "folds", "checkpoint", "endpoint", "time_unit", "times",
    "calibrated", "risk_threshold", "channel_names", "file_ending", "images", "failed",
)  # fmt: skip


def read_provenance(file: Path, *needed: str) -> dict[str, Any]:
    """Content of a ``prediction.json``; what is there is of the kind that ``adamss_predict_survival`` writes.

    Args:
        file: JSON.
        needed: entries that must be there, with dots between levels.

    Raises:
        ValueError: naming the file, if it lacks what is needed or holds something else.
        FileNotFoundError: if it is not there.
    """
    return read_known_object(file, _KINDS, needed)


def _are_times(value: Any) -> bool:
    return list_of(is_number)(value) and len(value) > 0


def _are_channels(value: Any) -> bool:
    return by_name(is_text)(value) and all(number.isascii() and number.isdigit() for number in value)


def _are_folds(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(number, int | str) for number in value)


_KINDS: dict[str, Kind] = {
    "dataset": is_text,
    "trainer": is_text,
    "plans": is_text,
    "configuration": is_text,
    "folds": _are_folds,
    "checkpoint": is_text,
    "checkpoints_sha256": by_name(is_text),
    "endpoint": optional(is_text),
    "time_unit": is_text,
    "times": _are_times,
    "calibrated": bool,
    "risk_threshold": optional(is_number),
    "channel_names": _are_channels,
    "file_ending": is_text,
    "images": is_text,
    "failed": by_name(is_text),
    "seconds_per_case": by_name(is_number),
}
