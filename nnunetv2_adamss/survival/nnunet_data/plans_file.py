"""Read nnU-Net's plans file, and check the entries that this package uses before nnU-Net does."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nnunetv2_adamss.common.json_object import read_known_object
from nnunetv2_adamss.common.kinds import Kind, by_name, is_count, is_positive, list_of, unfit
from nnunetv2_adamss.common.messages import listed

_KINDS: dict[str, Kind] = {
    "dataset_name": str,
    "plans_name": str,
    "configurations": by_name(dict),
    "transpose_forward": list_of(is_count),
    "transpose_backward": list_of(is_count),
    "image_reader_writer": str,
    "foreground_intensity_properties_per_channel": by_name(dict),
}
_NEEDED = ("dataset_name", "plans_name", "configurations")


def read_plans_file(file: Path) -> dict[str, Any]:
    """Read and check a plans file.

    Raises:
        ValueError: naming the file and its faults.
        FileNotFoundError: if it is not there.
    """
    plans = read_known_object(file, _KINDS, _NEEDED)
    faults = [
        f"configuration '{name}' {fault}"
        for name, configuration in plans["configurations"].items()
        for fault in _faults(configuration, plans["configurations"])
    ]
    if faults:
        raise ValueError(f"{file} is damaged or not what nnU-Net writes: {listed(faults)}.")
    return plans


def check_configuration(plans: Mapping[str, Any], configuration: str) -> None:
    """Raise ValueError, with the configurations that there are, unless the plan has this one."""
    if configuration not in plans["configurations"]:
        raise ValueError(
            f"There is no configuration '{configuration}' in the plan {plans['plans_name']} of "
            f"{plans['dataset_name']}, only {listed(list(plans['configurations']))}."
        )


def _faults(configuration: Mapping[str, Any], others: Mapping[str, Any]) -> Iterator[str]:
    """Yield the faults of a configuration, which may inherit some of its values from another one."""
    for name in unfit(configuration, _CONFIGURATION):
        yield f"has no usable {name} ({str(configuration[name])[:40]})"
    if not _inherits_from_others(configuration, others):
        yield "inherits from itself or from none that there is"


def _inherits_from_others(configuration: Mapping[str, Any], others: Mapping[str, Any]) -> bool:
    for _ in others:
        parent = configuration.get("inherits_from")
        if parent is None:
            return True
        if not isinstance(parent, str) or parent not in others:
            return False
        configuration = others[parent]
    return configuration.get("inherits_from") is None


def _is_size(value: Any) -> bool:
    return list_of(is_count, 2, 3)(value) and min(value) > 0


_CONFIGURATION: dict[str, Kind] = {
    "data_identifier": str,
    "spacing": list_of(is_positive, 2, 3),
    "patch_size": _is_size,
    "batch_size": is_count,
    "normalization_schemes": list_of(str),
    "architecture": dict,
}
