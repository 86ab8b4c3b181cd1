"""Reading of ``survival_summary.json`` of a training or fit."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nnunetv2_adamss.common.json_object import check_entries, read_known_object
from nnunetv2_adamss.common.kinds import Kind, by_name, holding, is_count, is_number, list_of, optional
from nnunetv2_adamss.trained_folds.fold_files import SUMMARY_FILE

# All that a report shows.
OF_REPORT = (
    "fold", "plans", "configuration", "time_unit", "interval_edges", "cases.validation", "versions",
    "predictions_from", "c_index", "settings.survival_csv", "settings.seg_trainer", "settings.select",
)  # fmt: skip


def read_summary(fold_folder: Path, *needed: str) -> dict[str, Any]:
    """Read the summary of a fold; its entries are of the kinds that :func:`write_results` writes.

    Args:
        fold_folder: nnU-Net's.
        needed: entries that must be there beside ``settings``, with dots between levels.

    Raises:
        ValueError: naming the file, if it lacks what this package writes.
        FileNotFoundError: if there is none.
    """
    return read_known_object(fold_folder / SUMMARY_FILE, _KINDS, ("settings", *needed))


def check_summary(fold_folder: Path, summary: Mapping[str, Any], *needed: str) -> None:
    """Raise ValueError, naming the file, if a summary that was read lacks an entry that is needed."""
    check_entries(fold_folder / SUMMARY_FILE, summary, {}, needed)


def _are_edges(value: Any) -> bool:
    return list_of(is_number)(value) and len(value) > 1 and list(value) == sorted({*value}) and value[0] == 0


def _is_score(value: Any) -> bool:
    """Return True for the score of an epoch."""
    return isinstance(value, dict) and isinstance(value.get("selected_on_this_fold", False), bool)


_KINDS: dict[str, Kind] = {
    "dataset": str,
    "plans": str,
    "configuration": str,
    "fold": (int, str),
    "endpoint": optional(str),
    "time_unit": str,
    "interval_edges": _are_edges,
    "cases": by_name(holding(cases=is_count, events=is_count)),
    "settings": dict,
    "settings.survival_csv": optional(str),
    "settings.seg_trainer": str,
    "settings.seg_checkpoint": str,
    "sources_sha256": by_name(str),
    "predictions_from": str,
    "c_index": by_name(_is_score),
    "covariates": optional(dict),
    "covariates.inputs": list_of(str),
    "covariates.clinical_indicators": list_of(str),
    "covariates.notes": list_of(str),
    "covariates.feature_selection": optional(dict),
    "covariates.feature_selection.selected": list_of(holding(feature=str)),
    "training": optional(dict),
    "training.seconds": optional(is_number),
    "training.parameters": optional(is_number),
    "versions": by_name(str),
}
