"""A checkpoint of Stage II: what nnU-Net keeps in it, and the fold that it was trained with."""

from pathlib import Path
from typing import Any

from nnunetv2_adamss.survival.fold import SurvivalFold
from nnunetv2_adamss.survival.foreign_files.model_checkpoints import read_model_checkpoint

_WRITTEN_BY = "a survival trainer of this package"


def read_survival_checkpoint(file: Path, *, mapped: bool = False) -> tuple[dict[str, Any], SurvivalFold]:
    """Content of a checkpoint, and its fold.

    Args:
        file: in ``TRAINER__PLANS__CONFIGURATION/fold_F``.
        mapped: leave tensors on the disk until they are looked at.

    Raises:
        ValueError: naming the file, if it is damaged, holds code, or is not of a survival training.
        FileNotFoundError: if it is not there.
    """
    checkpoint = read_model_checkpoint(
        file, {"init_args.survival": dict}, written_by=_WRITTEN_BY, mapped=mapped
    )
    try:
        return checkpoint, SurvivalFold.from_dict(checkpoint["init_args"]["survival"])
    # Values that are missing or of another kind, anywhere in it.
    except Exception as error:
        raise ValueError(
            f"{file} is not a checkpoint that {_WRITTEN_BY} wrote, or it is damaged: its settings and cases "
            f"cannot be read ({type(error).__name__}: {error})."
        ) from error
