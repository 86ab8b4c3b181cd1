"""Find the predictions of a finished cross-validation where the survival trainer leaves them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.survival.nnunet_data.dataset import model_folder
from nnunetv2_adamss.survival.results.finished_folds import FinishedFold, find_finished_folds, outcomes_file
from nnunetv2_adamss.survival.results.fold_files import COVARIATES_ONLY_FILE, PREDICTIONS_FILE


@dataclass(frozen=True)
class FinishedFolds:
    """What a cross-validation left.

    Args:
        predictions: one file a fold.
        covariates_only: of the Cox model on the covariates alone; empty unless every fold has one.
        survival_csv: the outcomes.
        notes: what to bear in mind when reading the results.
    """

    predictions: list[Path]
    covariates_only: list[Path]
    survival_csv: Path
    notes: list[str]


def find_folds(
    dataset: str,
    configuration: str,
    trainer: str,
    plans: str,
    folds: Sequence[int],
    *,
    survival_csv: Path | None = None,
) -> FinishedFolds:
    """Find the folds.

    Args:
        dataset: id or name.
        configuration: such as ``3d_fullres``.
        trainer: of Stage II.
        plans: identifier.
        folds: their numbers.
        survival_csv: the outcomes; default those that the folds were trained on.

    Raises:
        ValueError: if a fold is not finished, or folds were trained on different tables and none is given.
    """
    found = find_finished_folds(model_folder(dataset, trainer, plans, configuration), folds, PREDICTIONS_FILE)
    has_covariates_only = all(fold.has_files(COVARIATES_ONLY_FILE) for fold in found)
    flattered = [str(fold.number) for fold in found if is_chosen_on_its_fold(fold)]
    return FinishedFolds(
        [fold.folder / PREDICTIONS_FILE for fold in found],
        [fold.folder / COVARIATES_ONLY_FILE for fold in found] if has_covariates_only else [],
        survival_csv or outcomes_file(found),
        [f"Optimistic: the epoch of fold {listed(flattered)} was chosen on the patients that are evaluated."]
        if flattered
        else [],
    )


def is_chosen_on_its_fold(fold: FinishedFold) -> bool:
    """Whether the epoch that predicts a fold was chosen on the same patients, which flatters it.

    Raises:
        ValueError: naming the file, if its summary does not say which epoch predicts.
    """
    epoch = fold.summary("predictions_from")["predictions_from"]
    return bool(
        fold.summary(f"c_index.{epoch}.selected_on_this_fold")["c_index"][epoch]["selected_on_this_fold"]
    )
