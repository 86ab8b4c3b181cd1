"""What a training logged in each epoch, as its checkpoint keeps it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from nnunetv2_adamss.survival.results.fold_results import CHECKPOINT_FILES


def read_training_log(fold_folder: Path) -> tuple[Mapping[str, Sequence[float]], bool]:
    """What a training logged in each epoch, from its checkpoint.

    Returns:
        Values by nnU-Net's names, and whether the training was finished.

    Raises:
        ValueError: if there is no checkpoint that can be read.
    """
    file = next((fold_folder / name for name in CHECKPOINT_FILES if (fold_folder / name).is_file()), None)
    if file is None:
        raise ValueError(f"There is no checkpoint in {fold_folder}, so there are no training curves.")
    try:
        # Mapped, not read: the weights, which nobody looks at here, stay on the disk.
        checkpoint = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
        log: Mapping[str, Sequence[float]] = checkpoint["logging"]
    # A truncated or foreign file can fail in many ways inside torch.
    except Exception as error:
        raise ValueError(f"The checkpoint {file} cannot be read ({type(error).__name__}).") from error
    return log, file.name == CHECKPOINT_FILES[0]


def training_seconds(log: Mapping[str, Sequence[float]]) -> float:
    """How long its epochs took in all, whenever they were."""
    return float(sum(log["epoch_end_timestamps"]) - sum(log["epoch_start_timestamps"]))
