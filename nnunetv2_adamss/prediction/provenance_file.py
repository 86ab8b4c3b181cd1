"""Read ``prediction.json`` beside predictions: their model and patients."""

from pathlib import Path
from typing import Any

from nnunetv2_adamss.common.json_object import read_known_object
from nnunetv2_adamss.common.kinds import Kind, by_channel, by_name, is_count, is_number, list_of, optional

# All entries that a report shows.
OF_REPORT = (
    "dataset", "trainer", "plans", "configuration", "folds", "checkpoint", "endpoint", "time_unit", "times",
    "calibrated", "risk_threshold", "channel_names", "file_ending", "images", "failed",
)  # fmt: skip


def read_provenance(file: Path, *needed: str) -> dict[str, Any]:
    """Read a ``prediction.json``, and check that its entries have the types that ``adamss_predict_survival`` writes.

    Args:
        file: JSON.
        needed: entries that must be there, with dots between levels.

    Raises:
        ValueError: naming the file, if it lacks a needed entry or holds other types.
        FileNotFoundError: if it is not there.
    """
    return read_known_object(file, _KINDS, needed)


def _are_times(value: Any) -> bool:
    return list_of(is_number)(value) and len(value) > 0


_KINDS: dict[str, Kind] = {
    "dataset": str,
    "trainer": str,
    "plans": str,
    "configuration": str,
    "folds": list_of((int, str)),
    "checkpoint": str,
    "checkpoints_sha256": by_name(str),
    "endpoint": optional(str),
    "time_unit": str,
    "times": _are_times,
    "calibrated": bool,
    "risk_threshold": optional(is_number),
    "channel_names": by_channel(str),
    "file_ending": str,
    "ignore_label": optional(is_count),
    "images": str,
    "failed": by_name(str),
    "seconds_per_case": by_name(is_number),
}
