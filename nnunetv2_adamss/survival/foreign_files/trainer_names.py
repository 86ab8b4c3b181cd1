"""Search for trainers by name with nnU-Net; only this package's trainers and subclasses of them are used."""

import contextlib
import io
from functools import cache
from pathlib import Path
from typing import Any

from nnunetv2.utilities.find_objects import recursive_find_trainer_class_by_name

# Named, not imported: trainers lie above this folder.
_OURS = ("nnunetv2_adamss.trainers.adamss_trainer", "AdaMSSTrainer")


def find_trainer(name: str) -> type[Any] | None:
    """Find the trainer of this name by nnU-Net's own search; None if there is none.

    Args:
        name: of a class in nnU-Net, in this package, or in a folder of the user's ``nnUNet_extTrainer``.
    """
    # nnU-Net prints every folder that it searches.
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            found = recursive_find_trainer_class_by_name(name)
        # In this order: not found; found, but no trainer; found, but no class.
        except (RuntimeError, AssertionError, TypeError):
            return None
    return found if isinstance(found, type) else None


def check_is_ours(name: str, file: Path) -> None:
    """Raise ValueError unless nnU-Net may build the network of a checkpoint.

    Args:
        name: of the trainer that the checkpoint names.
        file: the checkpoint, for messages.
    """
    if not _is_ours(name):
        raise ValueError(
            f"{file} names the trainer {name}, which is none of this package's trainers and no subclass of them, or "
            "nnU-Net does not find it (nnUNet_extTrainer). Other trainers are not loaded."
        )


@cache
def _is_ours(name: str) -> bool:
    trainer = find_trainer(name)
    return trainer is not None and _OURS in {(base.__module__, base.__name__) for base in trainer.__mro__}
