"""The one reader of checkpoints, which may be damaged or foreign: cut short, replaced, written by another program."""

import logging
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from nnunetv2_adamss.common.kinds import Kind, unfit
from nnunetv2_adamss.common.messages import listed

logger = logging.getLogger(__name__)

WEIGHTS = "network_weights"


def read_checkpoint(
    file: Path,
    kinds: Mapping[str, Kind],
    *,
    written_by: str = "a trainer of this package",
    mapped: bool = False,
    device: str | torch.device = "cpu",
) -> dict[str, Any]:
    """Read a checkpoint: plain data and tensors. Code that the file may hold is never run.

    Args:
        file: as ``torch.save`` writes it.
        kinds: of the values that it must hold, by name, with dots between levels.
        written_by: who should have written it, for messages.
        mapped: leave tensors on the disk until they are used.
        device: of the tensors.

    Raises:
        ValueError: naming the file, if it is damaged, holds more than data, or lacks one of these values.
        FileNotFoundError: if it is not there.
    """
    if not file.is_file():
        raise FileNotFoundError(f"There is no checkpoint {file}.")
    logger.debug("Reading %s", file)
    try:
        content = torch.load(file, map_location=device, weights_only=True, mmap=mapped)
    # A damaged or foreign file can fail in many ways inside torch, such as for want of memory or by its depth.
    except Exception as error:
        raise ValueError(f"{_refused(file, written_by)}: {_reason(error)}.") from error
    if not isinstance(content, dict):
        raise ValueError(
            f"{_refused(file, written_by)}: it holds a {type(content).__name__}, not a dictionary."
        )
    if faults := unfit(content, kinds, kinds):
        raise ValueError(f"{_refused(file, written_by)} (missing or not usable: {listed(faults)}).")
    return content


def _refused(file: Path, written_by: str) -> str:
    return f"{file} is not a checkpoint that {written_by} wrote, or it is damaged"


def _reason(error: Exception) -> str:
    # PyTorch's own words explain to programmers how to run such code.
    if isinstance(error, UnpicklingError) and "nsupported" in str(error):
        return "it holds more than data, such as code, which is not run"
    if isinstance(error, MemoryError | RecursionError):
        return f"it does not fit into memory ({type(error).__name__})"
    return f"PyTorch cannot read it ({type(error).__name__})"


def are_weights(values: Any) -> bool:
    """Return True for tensors by name, as under ``network_weights``."""
    return isinstance(values, Mapping) and all(
        isinstance(name, str) and torch.is_tensor(value) for name, value in values.items()
    )
