"""``survival_summary.json`` of a training or fit, as all that comes after it reads it."""

from pathlib import Path
from typing import Any

from nnunetv2_adamss.common.json_object import Kind, read_known_object
from nnunetv2_adamss.common.kinds import by_name, is_count, is_number, is_object, is_text, list_of, optional
from nnunetv2_adamss.survival.results.fold_results import SUMMARY_FILE

# All that a report shows.
OF_REPORT = (
    "fold", "plans", "configuration", "time_unit", "interval_edges", "cases.validation", "versions",
    "predictions_from", "c_index", "settings.survival_csv", "settings.seg_trainer", "settings.select",
)  # fmt: skip


def read_summary(fold_folder: Path, *needed: str) -> dict[str, Any]:
    """The summary of a fold; what is there is of the kind that :func:`write_results` writes.

    Args:
        fold_folder: nnU-Net's.
        needed: entries that must be there beside ``settings``, with dots between levels.

    Raises:
        ValueError: naming the file, if it lacks what this package writes.
        FileNotFoundError: if there is none.
    """
    return read_known_object(fold_folder / SUMMARY_FILE, _KINDS, ("settings", *needed))


def _are_edges(value: Any) -> bool:
    return list_of(is_number)(value) and len(value) > 1 and list(value) == sorted({*value}) and value[0] == 0


def _is_score(value: Any) -> bool:
    """Score of an epoch."""
    return isinstance(value, dict) and isinstance(value.get("selected_on_this_fold", False), bool)


def _is_part(value: Any) -> bool:
    return isinstance(value, dict) and is_count(value.get("cases")) and is_count(value.get("events"))


def _is_feature(value: Any) -> bool:
    return isinstance(value, dict) and is_text(value.get("feature"))


def _are_covariates(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    names = all(list_of(is_text)(value.get(name, [])) for name in ("inputs", "clinical_indicators", "notes"))
    selection = value.get("feature_selection") or {}
    return names and isinstance(selection, dict) and list_of(_is_feature)(selection.get("selected", []))


def _is_duration(value: Any) -> bool:
    numbers = [value.get(name) for name in ("seconds", "parameters")] if isinstance(value, dict) else [""]
    return all(number is None or is_number(number) for number in numbers)


_KINDS: dict[str, Kind] = {
    "dataset": is_text,
    "plans": is_text,
    "configuration": is_text,
    "fold": (int, str),
    "endpoint": optional(is_text),
    "time_unit": is_text,
    "interval_edges": _are_edges,
    "cases": by_name(_is_part),
    "settings": is_object,
    "settings.survival_csv": optional(is_text),
    "settings.seg_trainer": is_text,
    "settings.seg_checkpoint": is_text,
    "sources_sha256": by_name(is_text),
    "predictions_from": is_text,
    "c_index": by_name(_is_score),
    "covariates": optional(_are_covariates),
    "training": optional(_is_duration),
    "versions": by_name(is_text),
}
