"""What a training was begun with, finished or not, as its checkpoint keeps it."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from nnunetv2_adamss.common.checkpoint import read_checkpoint
from nnunetv2_adamss.common.kinds import Kind, unfit
from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.survival.cohort.splits_file import SPLITS_FILE

# Among nnU-Net's ``init_args`` in the checkpoints of Stage I.
TRAINING_CASES = "training_cases"
_KINDS: Mapping[str, Kind] = {
    TRAINING_CASES: list,
    "survival": Mapping,
    "survival.split": Mapping,
    "survival.split.training": list,
    "survival.split.validation": list,
    "survival.sources": Mapping,
    "survival.config": Mapping,
}
# In the order in which nnU-Net's --c looks for them.
_CHECKPOINTS = ("checkpoint_final.pth", "checkpoint_latest.pth", "checkpoint_best.pth")


def begun_with(fold_folder: Path) -> Mapping[str, Any] | None:
    """``init_args`` of the checkpoint that ``--c`` goes on from; None if there is none that can be read.

    Args:
        fold_folder: nnU-Net's.
    """
    file = next((fold_folder / name for name in _CHECKPOINTS if (fold_folder / name).is_file()), None)
    if file is None:
        return None
    try:
        # Mapped, not read: the weights, which nobody looks at here, stay on the disk.
        begun: Mapping[str, Any] = read_checkpoint(file, {"init_args": Mapping}, mapped=True)["init_args"]
    except (OSError, ValueError):
        return None
    # Only checkpoints of Stage II have the one, and older ones of Stage I none of both.
    needed = [name for name in _KINDS if name.split(".")[0] in begun]
    return None if unfit(begun, _KINDS, needed) else begun


def check_same_training_cases(begun: Mapping[str, Any], training_cases: Collection[str]) -> None:
    """Raise ValueError if a training was begun with other training cases, of which some may be validated now.

    Args:
        begun: ``init_args`` of its checkpoint; older ones do not say.
        training_cases: as they are now.
    """
    before = begun.get(TRAINING_CASES)
    moved = [] if before is None else sorted(set(before) ^ set(training_cases))
    if moved:
        raise ValueError(
            f"{SPLITS_FILE} has changed since this training began: {listed(moved)} are newly or no longer training "
            "cases. Bring the old split back, or move this fold's folder away to train anew."
        )
