"""What a training logged in each epoch, as its checkpoint keeps it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from nnunetv2_adamss.common.checkpoint import read_checkpoint
from nnunetv2_adamss.common.kinds import list_of, unfit
from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.survival.results.fold_files import CHECKPOINT_FILES

# nnU-Net's names.
EPOCH_TIMES = ("epoch_start_timestamps", "epoch_end_timestamps")


def read_training_log(fold_folder: Path, *names: str) -> tuple[Mapping[str, Sequence[float]], bool]:
    """What a training logged in each epoch, from its checkpoint.

    Args:
        fold_folder: nnU-Net's.
        names: nnU-Net's, of values that must be there.

    Returns:
        Values by nnU-Net's names, and whether the training was finished.

    Raises:
        ValueError: if there is no checkpoint that can be read, or it lacks such values.
    """
    file = next((fold_folder / name for name in CHECKPOINT_FILES if (fold_folder / name).is_file()), None)
    if file is None:
        raise ValueError(f"There is no checkpoint in {fold_folder}, so there are no training curves.")
    # Mapped, not read: the weights, which nobody looks at here, stay on the disk.
    log: Mapping[str, Sequence[float]] = read_checkpoint(file, {"logging": Mapping}, mapped=True)["logging"]
    if faults := unfit(log, dict.fromkeys(names, list_of((int, float))), names):
        raise ValueError(f"The checkpoint {file} is damaged: its log has no usable {listed(faults)}.")
    return log, file.name == CHECKPOINT_FILES[0]


def training_seconds(log: Mapping[str, Sequence[float]]) -> float:
    """How long its epochs took in all, whenever they were; from ``EPOCH_TIMES``."""
    started, ended = (log[name] for name in EPOCH_TIMES)
    return float(sum(ended) - sum(started))
