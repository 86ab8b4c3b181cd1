"""The out-of-fold predictions of a finished cross-validation, with the outcomes of its patients."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from nnunetv2_adamss.common.files import sha256_of
from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.prediction.ensemble import Curves, common_times, curves_at
from nnunetv2_adamss.survival.cohort.survival_table import SurvivalTable, read_survival_table
from nnunetv2_adamss.survival.results.finished_folds import FinishedFold, find_finished_folds, outcomes_file
from nnunetv2_adamss.survival.results.fold_files import CHECKPOINTS, epoch_predictions_file
from nnunetv2_adamss.survival.results.predicted_curves import CurvesByCase
from nnunetv2_adamss.survival.setup import outcomes_source


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """Folds that were trained and validated to the end, on one table of outcomes.

    Args:
        folds: at least one.
        table: of outcomes.
    """

    folds: Sequence[FinishedFold]
    table: SurvivalTable = field(repr=False)

    @classmethod
    def read(
        cls, model_folder: Path, folds: Sequence[int], survival_csv: Path | None = None
    ) -> "CrossValidation":
        """Find the folds of a model and check that they belong together.

        Args:
            model_folder: nnU-Net's ``TRAINER__PLANS__CONFIGURATION``.
            folds: their numbers.
            survival_csv: the table that they were trained with, if it was moved.

        Raises:
            ValueError: if folds are not finished, or differ in endpoint or outcomes, or the table has changed since.
        """
        found = find_finished_folds(model_folder, folds, CHECKPOINTS["last"])
        _check_validated(found, model_folder)
        table = read_survival_table(survival_csv or outcomes_file(found))
        _check_trained_on(table, found)
        return cls(found, table)

    @property
    def epochs(self) -> list[str]:
        """The epochs whose predictions every fold has."""
        return [epoch for epoch in CHECKPOINTS if all(fold.has_epoch(epoch) for fold in self.folds)]

    def out_of_fold(self, epoch: str) -> CurvesByCase:
        """Every case as the fold predicts it that did not train on it, at times that all folds reach.

        Raises:
            ValueError: if a case is predicted by more than one fold, or a file cannot be used.
        """
        predictions = {fold.number: fold.predictions(epoch) for fold in self.folds}
        _check_apart({number: prediction.case_ids for number, prediction in predictions.items()})
        times = common_times([fold.edges for fold in self.folds])
        curves: list[Curves] = [
            curves_at(predictions[fold.number].survival_curve, fold.edges, times) for fold in self.folds
        ]
        case_ids = [case_id for prediction in predictions.values() for case_id in prediction.case_ids]
        return CurvesByCase(case_ids, times, np.concatenate(curves))

    def sha256(self, epoch: str) -> dict[str, str]:
        """Hashes of the folds' checkpoints and of the outcomes, by a name for people."""
        checkpoints = {
            f"fold {fold.number}": sha256_of(fold.folder / CHECKPOINTS[epoch]) for fold in self.folds
        }
        return checkpoints | {outcomes_source(self.table.path): sha256_of(self.table.path)}


def _check_validated(folds: Sequence[FinishedFold], model_folder: Path) -> None:
    without = [str(fold.number) for fold in folds if not fold.has_epoch("last")]
    if without:
        raise ValueError(
            f"Fold {', '.join(without)} of {model_folder} has no {epoch_predictions_file('last')}: predict its "
            "validation cases again with adamss_finetune_survival and --val."
        )


def _check_trained_on(table: SurvivalTable, folds: Sequence[FinishedFold]) -> None:
    is_now = {"time_unit": table.description.time_unit, "endpoint": table.description.endpoint}
    for name, value in is_now.items():
        found = {fold.number: fold.summary(name)[name] for fold in folds}
        others = {number: other for number, other in found.items() if other != value}
        if others:
            words = [f"fold {number}: {other}" for number, other in others.items()]
            raise ValueError(
                f"{table.path} has the {name} {value}, but folds were trained on another ({listed(words)})."
            )
    sha256 = sha256_of(table.path)
    changed = [
        str(fold.number)
        for fold in folds
        if fold.summary("sources_sha256")["sources_sha256"].get(outcomes_source(table.path)) != sha256
    ]
    if changed:
        raise ValueError(
            f"Fold {', '.join(changed)} was not trained on the outcomes that are in {table.path} now. Give the table "
            "that it was trained on with -s, under its old name, or train it anew with --overwrite."
        )


def _check_apart(cases_by_fold: dict[int, list[str]]) -> None:
    owner: dict[str, int] = {}
    twice = []
    for number, case_ids in cases_by_fold.items():
        twice += [
            f"{case_id} (folds {owner[case_id]} and {number})" for case_id in case_ids if case_id in owner
        ]
        owner |= dict.fromkeys(case_ids, number)
    if twice:
        raise ValueError(
            f"Cases are validated by more than one fold: {listed(twice)}. The folds are of different splits; train "
            "them on one split."
        )
