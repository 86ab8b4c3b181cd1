"""The checkpoint of a trained fold of Stage I, as a file; without PyTorch, for early checks."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnunetv2.utilities.file_path_utilities import get_output_folder


@dataclass(frozen=True)
class StageOneFile:
    """One fold of a Stage-I training.

    Args:
        trainer: class name.
        plans: the plan that Stage II uses too.
        configuration: such as ``3d_fullres``.
        fold: number or ``all``.
        checkpoint_name: such as ``checkpoint_best.pth``.
    """

    trainer: str
    plans: Mapping[str, Any]
    configuration: str
    fold: int | str
    checkpoint_name: str

    @property
    def model_folder(self) -> Path:
        """nnU-Net's folder of all folds of this training."""
        return Path(
            get_output_folder(
                self.plans["dataset_name"], self.trainer, self.plans["plans_name"], self.configuration
            )
        )

    @property
    def fold_folder(self) -> Path:
        """nnU-Net's folder of this fold."""
        return self.model_folder / f"fold_{self.fold}"

    @property
    def checkpoint(self) -> Path:
        """File of the fold's checkpoint."""
        return self.fold_folder / self.checkpoint_name

    def check_exists(self) -> None:
        """Raise ValueError, with the command that trains it, if the checkpoint does not exist."""
        if not self.checkpoint.is_file():
            others = sorted(path.name for path in self.fold_folder.glob("checkpoint_*.pth"))
            there = f" There is {', '.join(others)}: choose it with -seg_chk." if others else ""
            raise ValueError(
                f"There is no Stage-I checkpoint {self.checkpoint}.{there} Train it first: nnUNetv2_train "
                f"{self.plans['dataset_name']} {self.configuration} {self.fold} -tr {self.trainer} "
                f"-p {self.plans['plans_name']}"
            )
