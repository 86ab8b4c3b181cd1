"""The folds of a finished survival training: their files, and the outcomes that they were trained on."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.survival.cohort.survival_table import SURVIVAL_CSV
from nnunetv2_adamss.survival.nnunet_data.dataset import RAW, dataset_folder
from nnunetv2_adamss.survival.results.fold_files import CHECKPOINTS, SUMMARY_FILE, epoch_predictions_file
from nnunetv2_adamss.survival.results.predicted_curves import CurvesByCase, read_predicted_curves, same_times
from nnunetv2_adamss.survival.results.summary_file import check_summary, read_summary


@dataclass(frozen=True)
class FinishedFold:
    """What a fold of a survival training left.

    Args:
        number: of the fold.
        folder: nnU-Net's.
    """

    number: int
    folder: Path

    def summary(self, *needed: str) -> dict[str, Any]:
        """Content of ``survival_summary.json``, which is read once.

        Args:
            needed: entries that must be there.

        Raises:
            ValueError: naming the file, if it lacks one, or is damaged.
        """
        check_summary(self.folder, self._summary, *needed)
        return self._summary

    @cached_property
    def _summary(self) -> dict[str, Any]:
        return read_summary(self.folder)

    @property
    def edges(self) -> NDArray[np.float64]:
        """The fold's interval edges."""
        return np.asarray(self.summary("interval_edges")["interval_edges"], dtype=np.float64)

    @property
    def survival_csv(self) -> Path:
        """The table of outcomes that it was trained on."""
        given = self.summary("settings.survival_csv")["settings"]["survival_csv"]
        return (
            Path(given) if given else dataset_folder(RAW, self.summary("dataset")["dataset"]) / SURVIVAL_CSV
        )

    def has_files(self, *names: str) -> bool:
        """Whether these are in its folder."""
        return all((self.folder / name).is_file() for name in names)

    def has_epoch(self, epoch: str) -> bool:
        """Whether there are weights of the ``best`` or the ``last`` epoch and predictions by them."""
        return self.has_files(CHECKPOINTS[epoch], epoch_predictions_file(epoch))

    def predictions(self, epoch: str) -> CurvesByCase:
        """The validation cases as this epoch predicts them, at the fold's own edges.

        Raises:
            ValueError: if the file does not hold curves at these edges.
        """
        file = self.folder / epoch_predictions_file(epoch)
        found = read_predicted_curves(file)
        own = self.edges[1:]
        if not same_times(found.times, own):
            raise ValueError(
                f"{file} and {SUMMARY_FILE} beside it differ in their times, so they are not of one training. Run "
                f"adamss_finetune_survival with --val for fold {self.number}."
            )
        return found._replace(times=own)


def find_finished_folds(model_folder: Path, folds: Sequence[int], *needed: str) -> list[FinishedFold]:
    """Find folds that were trained and validated to the end.

    Args:
        model_folder: nnU-Net's ``TRAINER__PLANS__CONFIGURATION``.
        folds: their numbers.
        needed: files that every fold must have beside ``survival_summary.json``.

    Raises:
        ValueError: if a fold is not finished.
    """
    found = [FinishedFold(number, model_folder / f"fold_{number}") for number in sorted(set(folds))]
    finished = [fold for fold in found if fold.has_files(SUMMARY_FILE, *needed)]
    missing = [str(fold.number) for fold in found if fold not in finished]
    if missing:
        there = " ".join(str(fold.number) for fold in finished)
        choice = f", or choose those that are with -f {there}" if there else ""
        raise ValueError(
            f"Fold {', '.join(missing)} of {model_folder} is not trained to the end: train it with "
            f"adamss_finetune_survival{choice}."
        )
    return found


def outcomes_file(folds: Sequence[FinishedFold]) -> Path:
    """The table of outcomes that all folds were trained on.

    Raises:
        ValueError: if they were trained on different ones.
    """
    files = sorted({str(fold.survival_csv) for fold in folds})
    if len(files) > 1:
        raise ValueError(f"The folds were trained on different tables ({listed(files)}); choose one with -s.")
    return Path(files[0])
