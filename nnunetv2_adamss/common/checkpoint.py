"""The one reader of checkpoints, which anything may have happened to: cut short, replaced, written by a stranger."""

from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from nnunetv2_adamss.common.messages import listed

WEIGHTS = "network_weights"
# A type, several, or what a mapping must hold in turn.
Kind = type | tuple[type, ...] | Mapping[str, Any]


def read_checkpoint(
    file: Path,
    kinds: Mapping[str, Kind],
    *,
    of: str = "a trainer of this package",
    mapped: bool = False,
    device: str | torch.device = "cpu",
) -> dict[str, Any]:
    """Content of a checkpoint: plain data and tensors; code that a file may hold is never run.

    Args:
        file: as ``torch.save`` writes it.
        kinds: of the values that it must hold, by name; of a mapping's own values as another such mapping. Values of
            ``network_weights`` must be tensors.
        of: who should have written it, for messages.
        mapped: leave tensors on the disk until they are looked at.
        device: of the tensors.

    Raises:
        ValueError: naming the file, if it is damaged, holds more than data, or lacks one of these values.
        FileNotFoundError: if it is not there.
    """
    if not file.is_file():
        raise FileNotFoundError(f"There is no checkpoint {file}.")
    try:
        content = torch.load(file, map_location=device, weights_only=True, mmap=mapped)
    # A damaged or foreign file can fail in many ways inside torch, such as for want of memory or by its depth.
    except Exception as error:
        raise ValueError(f"{_refused(file, of)}: {_reason(error)}.") from error
    if not isinstance(content, dict):
        raise ValueError(f"{_refused(file, of)}: it holds a {type(content).__name__}, not a dictionary.")
    faults = unusable(content, kinds)
    if faults:
        raise ValueError(f"{_refused(file, of)}: there is no usable {listed(faults)}.")
    return content


def _refused(file: Path, of: str) -> str:
    return f"{file} is not a checkpoint that {of} wrote, or it is damaged"


def _reason(error: Exception) -> str:
    # PyTorch's own words explain to programmers how to run such code.
    if isinstance(error, UnpicklingError) and "nsupported" in str(error):
        return "it holds more than data, such as code, which is not run"
    if isinstance(error, MemoryError | RecursionError):
        return f"it does not fit into memory ({type(error).__name__})"
    return f"PyTorch cannot read it ({type(error).__name__})"


def unusable(content: Mapping[Any, Any], kinds: Mapping[str, Kind], within: str = "") -> list[str]:
    """Names of the values that are not there, or of another kind; of a mapping's values with a dot."""
    faults = []
    for name, kind in kinds.items():
        value = content.get(name)
        if isinstance(kind, Mapping):
            if isinstance(value, Mapping):
                faults += unusable(value, kind, f"{within}{name}.")
                continue
            faults.append(within + name)
        elif not isinstance(value, kind) or (name == WEIGHTS and not _are_tensors(value)):
            faults.append(within + name)
    return faults


def _are_tensors(weights: Any) -> bool:
    return all(isinstance(name, str) and torch.is_tensor(value) for name, value in weights.items())
