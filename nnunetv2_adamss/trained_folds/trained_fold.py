"""A fold that was trained or fitted: the files in its folder, read when they are needed."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from nnunetv2.utilities.file_path_utilities import convert_trainer_plans_config_to_identifier
from numpy.typing import NDArray

from nnunetv2_adamss.common.checkpoint import read_checkpoint
from nnunetv2_adamss.common.kinds import Kind, list_of, unfit
from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.survival.cohort.outcomes_path import default_outcomes
from nnunetv2_adamss.trained_folds.complete_folds import check_checkpoint
from nnunetv2_adamss.trained_folds.fold_files import (
    CHECKPOINT_FILES,
    CHECKPOINTS,
    PREDICTIONS_FILE,
    SUMMARY_FILE,
    epoch_predictions_file,
    fold_number,
    latest_checkpoint,
)
from nnunetv2_adamss.trained_folds.predicted_curves import CurvesByCase, read_predicted_curves, same_times
from nnunetv2_adamss.trained_folds.summary_file import check_summary, read_summary
from nnunetv2_adamss.trained_folds.training_cases import TRAINING_CASES
from nnunetv2_adamss.trained_folds.training_log import EPOCH_TIMES, training_seconds

if TYPE_CHECKING:
    from nnunetv2_adamss.trained_folds.survival_checkpoint import SurvivalCheckpoint

# Entries of nnU-Net's ``init_args``: Stage I has the first, unless it is old, and Stage II the others.
_BEGUN: Mapping[str, Kind] = {
    TRAINING_CASES: list,
    "survival": Mapping,
    "survival.split": Mapping,
    "survival.split.training": list,
    "survival.split.validation": list,
    "survival.sources": Mapping,
    "survival.config": Mapping,
}


@dataclass(frozen=True)
class TrainedFold:
    """A fold of a training or fit, finished or not.

    Args:
        folder: nnU-Net's ``TRAINER__PLANS__CONFIGURATION/fold_F``.
    """

    folder: Path

    @classmethod
    def of_model(cls, model_folder: Path, number: int | str) -> "TrainedFold":
        """A fold of nnU-Net's ``TRAINER__PLANS__CONFIGURATION``."""
        return cls(model_folder / f"fold_{number}")

    @property
    def number(self) -> int | str:
        """nnU-Net's number of the fold, or ``all``."""
        return fold_number(self.folder)

    @property
    def name(self) -> str:
        """Name for tables and messages."""
        return f"Fold {self.number}"

    def has_files(self, *names: str) -> bool:
        """Return True if these files are in its folder."""
        return all((self.folder / name).is_file() for name in names)

    # ---------------------------------------------------------------------------------------- its record

    @cached_property
    def summary(self) -> dict[str, Any]:
        """Content of ``survival_summary.json``, checked when it is read.

        Raises:
            ValueError: naming the file, if it is damaged.
            FileNotFoundError: if there is none.
        """
        return read_summary(self.folder)

    def summary_with(self, *needed: str) -> dict[str, Any]:
        """The summary, checked to have these entries.

        Args:
            needed: names of the entries, with dots between levels.

        Raises:
            ValueError: naming the file, if it lacks one, or is damaged.
        """
        check_summary(self.folder, self.summary, *needed)
        return self.summary

    @property
    def edges(self) -> NDArray[np.float64]:
        """Edges of the fold's time intervals."""
        return np.asarray(self.summary_with("interval_edges")["interval_edges"], dtype=np.float64)

    @property
    def survival_csv(self) -> Path:
        """File of the table of outcomes that it was trained on."""
        given = self.summary_with("settings.survival_csv")["settings"]["survival_csv"]
        if given:
            return Path(given)
        return default_outcomes(self.summary_with("dataset")["dataset"])

    @property
    def epoch_was_chosen_here(self) -> bool:
        """True if the epoch that predicts was chosen on the validation patients, which makes the results optimistic.

        Raises:
            ValueError: naming the file, if its summary does not state it.
        """
        epoch = self.summary_with("predictions_from")["predictions_from"]
        scores = self.summary_with(f"c_index.{epoch}.selected_on_this_fold")["c_index"]
        return bool(scores[epoch]["selected_on_this_fold"])

    @property
    def stage_one(self) -> "TrainedFold":
        """The same fold of the Stage-I training that it started from."""
        summary = self.summary_with("settings.seg_trainer", "plans", "configuration")
        name = convert_trainer_plans_config_to_identifier(
            summary["settings"]["seg_trainer"], summary["plans"], summary["configuration"]
        )
        return TrainedFold(self.folder.parents[1] / name / self.folder.name)

    # ----------------------------------------------------------------------------------- its predictions

    def has_epoch(self, epoch: str) -> bool:
        """Return True if there are weights of the ``best`` or ``last`` epoch and predictions by them."""
        return self.has_files(CHECKPOINTS[epoch], epoch_predictions_file(epoch))

    def predictions(self, epoch: str | None = None) -> CurvesByCase:
        """Read the predictions of the validation cases by an epoch, at the fold's own edges.

        Args:
            epoch: ``best`` or ``last``; default the one that predicts.

        Raises:
            ValueError: if the file does not hold curves at these edges.
        """
        file = self.folder / (PREDICTIONS_FILE if epoch is None else epoch_predictions_file(epoch))
        found = read_predicted_curves(file)
        own = self.edges[1:]
        if not same_times(found.times, own):
            raise ValueError(
                f"{file} and {SUMMARY_FILE} beside it differ in their times, so they are not of one training. Run "
                f"adamss_finetune_survival with --val for fold {self.number}."
            )
        return found._replace(times=own)

    # ----------------------------------------------------------------------------------- its checkpoints

    def open(self, checkpoint_name: str) -> "SurvivalCheckpoint":
        """Read the checkpoint of the survival network.

        Args:
            checkpoint_name: such as ``checkpoint_best.pth``.

        Raises:
            ValueError: if it does not exist, is damaged, or is not of a survival training.
        """
        # It imports nnU-Net's trainer and its networks, which the record of a training does not need.
        from nnunetv2_adamss.trained_folds.survival_checkpoint import SurvivalCheckpoint  # noqa: PLC0415

        # A fold may be a link: its Stage I lies beside the link.
        file = self.folder.parent.resolve() / self.folder.name / checkpoint_name
        check_checkpoint(file)
        return SurvivalCheckpoint.read(file)

    @property
    def latest_checkpoint(self) -> Path | None:
        """The most finished checkpoint, with which ``--c`` continues; None if there is none."""
        return latest_checkpoint(self.folder)

    def begun_with(self) -> Mapping[str, Any] | None:
        """Read ``init_args`` of the latest checkpoint, of either stage; None if no checkpoint can be read."""
        file = self.latest_checkpoint
        if file is None:
            return None
        try:
            # Mapped, not read: the weights stay on the disk.
            begun: Mapping[str, Any] = read_checkpoint(file, {"init_args": Mapping}, mapped=True)["init_args"]
        except (OSError, ValueError):
            return None
        needed = [name for name in _BEGUN if name.split(".")[0] in begun]
        return None if unfit(begun, _BEGUN, needed) else begun

    def log(self, *names: str) -> tuple[Mapping[str, Sequence[float]], bool]:
        """Read the values that the training, of either stage, logged in each epoch.

        Args:
            names: nnU-Net's, of values that must be there.

        Returns:
            Values by nnU-Net's names, and whether the training was finished.

        Raises:
            ValueError: if there is no checkpoint that can be read, or it lacks such values.
        """
        file = self.latest_checkpoint
        if file is None:
            raise ValueError(f"There is no checkpoint in {self.folder}, so there are no training curves.")
        log: Mapping[str, Sequence[float]] = read_checkpoint(file, {"logging": Mapping}, mapped=True)[
            "logging"
        ]
        if faults := unfit(log, dict.fromkeys(names, list_of((int, float))), names):
            raise ValueError(f"The checkpoint {file} is damaged: its log has no usable {listed(faults)}.")
        return log, file.name == CHECKPOINT_FILES[0]

    @property
    def seconds(self) -> float | None:
        """Duration of the finished training or fit, of either stage; None where it is not recorded.

        Raises:
            ValueError: naming the file, if its summary is damaged.
        """
        if self.has_files(SUMMARY_FILE):
            seconds = (self.summary.get("training") or {}).get("seconds")
            return None if seconds is None else float(seconds)
        with suppress(ValueError):
            log, is_finished = self.log(*EPOCH_TIMES)
            return training_seconds(log) if is_finished else None
        return None
