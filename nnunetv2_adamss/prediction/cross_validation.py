"""The out-of-fold predictions of a finished cross-validation, with the outcomes of its patients."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnunetv2_adamss.prediction.ensemble import Curves, common_times, curves_at
from nnunetv2_adamss.survival.cohort.table import SURVIVAL_CSV, SurvivalTable, read_survival_table
from nnunetv2_adamss.survival.files import sha256_of
from nnunetv2_adamss.survival.messages import listed
from nnunetv2_adamss.survival.nnunet_dataset import RAW, dataset_folder
from nnunetv2_adamss.survival.predicted_curves import CurvesByCase, read_predicted_curves, same_times
from nnunetv2_adamss.survival.results import CHECKPOINTS, SUMMARY_FILE, epoch_predictions_file
from nnunetv2_adamss.survival.setup import outcomes_source


@dataclass(frozen=True)
class FinishedFold:
    """What a fold of a survival training left.

    Args:
        number: of the fold.
        folder: nnU-Net's.
    """

    number: int
    folder: Path

    @cached_property
    def summary(self) -> dict[str, Any]:
        """Content of ``survival_summary.json``."""
        content: dict[str, Any] = json.loads((self.folder / SUMMARY_FILE).read_text(encoding="utf-8"))
        return content

    @property
    def edges(self) -> NDArray[np.float64]:
        """The fold's interval edges."""
        return np.asarray(self.summary["interval_edges"], dtype=np.float64)

    @property
    def is_finished(self) -> bool:
        """Whether it was trained and validated to the end."""
        return (self.folder / SUMMARY_FILE).is_file() and self.checkpoint("last").is_file()

    def checkpoint(self, epoch: str) -> Path:
        """The weights of the ``best`` or the ``last`` epoch."""
        return self.folder / CHECKPOINTS[epoch]

    def has(self, epoch: str) -> bool:
        """Whether there are weights of this epoch and predictions by them."""
        return self.checkpoint(epoch).is_file() and (self.folder / epoch_predictions_file(epoch)).is_file()

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
        found = [FinishedFold(number, model_folder / f"fold_{number}") for number in sorted(set(folds))]
        _check_finished(found, model_folder)
        table = read_survival_table(survival_csv or _table_file(found[0]))
        _check_trained_on(table, found)
        return cls(found, table)

    @property
    def epochs(self) -> list[str]:
        """The epochs whose predictions every fold has."""
        return [epoch for epoch in CHECKPOINTS if all(fold.has(epoch) for fold in self.folds)]

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
        checkpoints = {f"fold {fold.number}": sha256_of(fold.checkpoint(epoch)) for fold in self.folds}
        return checkpoints | {outcomes_source(self.table.path): sha256_of(self.table.path)}


def _check_finished(folds: Sequence[FinishedFold], model_folder: Path) -> None:
    missing = [str(fold.number) for fold in folds if not fold.is_finished]
    if missing:
        there = [str(fold.number) for fold in folds if fold.is_finished]
        choice = f", or choose those that are with -f {' '.join(there)}" if there else ""
        raise ValueError(
            f"Fold {', '.join(missing)} of {model_folder} is not trained to the end: train it with "
            f"adamss_finetune_survival{choice}."
        )
    without = [str(fold.number) for fold in folds if not fold.has("last")]
    if without:
        raise ValueError(
            f"Fold {', '.join(without)} of {model_folder} has no {epoch_predictions_file('last')}: predict its "
            "validation cases again with adamss_finetune_survival and --val."
        )


def _table_file(fold: FinishedFold) -> Path:
    given = fold.summary["settings"]["survival_csv"]
    return Path(given) if given else dataset_folder(RAW, fold.summary["dataset"]) / SURVIVAL_CSV


def _check_trained_on(table: SurvivalTable, folds: Sequence[FinishedFold]) -> None:
    is_now = {"time_unit": table.description.time_unit, "endpoint": table.description.endpoint}
    for name, value in is_now.items():
        others = {fold.number: fold.summary[name] for fold in folds if fold.summary[name] != value}
        if others:
            words = [f"fold {number}: {other}" for number, other in others.items()]
            raise ValueError(
                f"{table.path} has the {name} {value}, but folds were trained on another ({listed(words)})."
            )
    sha256 = sha256_of(table.path)
    changed = [
        str(fold.number)
        for fold in folds
        if fold.summary["sources_sha256"].get(outcomes_source(table.path)) != sha256
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
