"""Reading and checks of a trained model, before nnU-Net opens any of its files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nnunetv2_adamss.common.checkpoint import WEIGHTS, are_weights, read_checkpoint
from nnunetv2_adamss.common.kinds import Kind
from nnunetv2_adamss.survival.foreign_files.plan_names import check_model_folder, check_names
from nnunetv2_adamss.survival.foreign_files.trainer_names import check_is_ours

_MODEL: dict[str, Kind] = {
    "trainer_name": str,
    WEIGHTS: are_weights,
    "init_args": Mapping,
    "init_args.plans": dict,
    "init_args.dataset_json": dict,
    "init_args.configuration": str,
}


def read_model_checkpoint(
    file: Path, more: Mapping[str, Kind] | None = None, *, written_by: str, mapped: bool = False
) -> dict[str, Any]:
    """Read a checkpoint of a model in nnU-Net's folders, and check that its plans name nothing but nnU-Net's own.

    Networks of Stage II are built by their name in our registry, so their trainer need not be installed; that of
    Stage I, which nnU-Net looks up, is checked in ``check_nnunet_may_open``.

    Args:
        file: in ``TRAINER__PLANS__CONFIGURATION/fold_F``.
        more: kinds of the values that it must hold besides those of any model, by name, with dots between levels.
        written_by: who should have written it, for messages.
        mapped: leave tensors on the disk until they are used.

    Raises:
        ValueError: naming the file, if it is damaged, holds more than data, or names anything that is not nnU-Net's.
        FileNotFoundError: if it is not there.
    """
    checkpoint = read_checkpoint(file, {**_MODEL, **(more or {})}, written_by=written_by, mapped=mapped)
    start = checkpoint["init_args"]
    check_names(start["plans"], start["dataset_json"], file)
    return checkpoint


def check_nnunet_may_open(file: Path) -> None:
    """Raise ValueError, naming the file, unless nnU-Net can build the network of a Stage-I checkpoint.

    nnU-Net unpickles the checkpoint without a check, and looks up the trainer in it and every name in the plans beside
    it, so these are checked first.

    Args:
        file: in ``TRAINER__PLANS__CONFIGURATION/fold_F``.
    """
    checkpoint = read_model_checkpoint(file, written_by="a Stage-I trainer of this package", mapped=True)
    check_is_ours(checkpoint["trainer_name"], file)
    check_model_folder(file.parents[1])
