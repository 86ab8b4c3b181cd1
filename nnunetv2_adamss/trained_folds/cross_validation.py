"""The folds of one model, their table of outcomes, and their predictions of the cases that they did not train on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from nnunetv2.utilities.file_path_utilities import convert_identifier_to_trainer_plans_config
from numpy.typing import NDArray

from nnunetv2_adamss.common.files import sha256_of
from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.survival.cohort.outcome_files import outcomes_source
from nnunetv2_adamss.survival.cohort.splits_file import SPLITS_FILE, Split, read_splits
from nnunetv2_adamss.survival.cohort.survival_table import SurvivalTable, read_survival_table
from nnunetv2_adamss.survival.discrete_time.curve import common_times
from nnunetv2_adamss.survival.nnunet_data.dataset import PREPROCESSED, RAW, dataset_folder
from nnunetv2_adamss.survival.nnunet_data.dataset_json import read_dataset_json
from nnunetv2_adamss.survival.nnunet_data.plans_file import read_plans_file
from nnunetv2_adamss.trained_folds.complete_folds import complete_folds
from nnunetv2_adamss.trained_folds.fold_files import CHECKPOINTS, epoch_predictions_file
from nnunetv2_adamss.trained_folds.predicted_curves import CurvesByCase
from nnunetv2_adamss.trained_folds.trained_fold import TrainedFold


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """Folds of one model that are trained to the end.

    Args:
        model_folder: nnU-Net's ``TRAINER__PLANS__CONFIGURATION``.
        folds: at least one.
        own_csv: the table of outcomes, if it is not at the path that the folds recorded.
    """

    model_folder: Path
    folds: Sequence[TrainedFold]
    own_csv: Path | None = None

    @classmethod
    def find(
        cls,
        model_folder: Path,
        numbers: Sequence[int | str] | None,
        *needed: str,
        survival_csv: Path | None = None,
    ) -> "CrossValidation":
        """Find folds that were trained and validated to the end.

        Args:
            model_folder: nnU-Net's ``TRAINER__PLANS__CONFIGURATION``.
            numbers: of the folds, or ``all``; None for all numbered ones that exist.
            needed: files that every fold must have beside ``survival_summary.json``.
            survival_csv: the table of outcomes, if it was moved.

        Raises:
            ValueError: if the model does not exist, or one of the folds is not finished.
        """
        asked = complete_folds(model_folder, numbers, *needed)
        folds = [TrainedFold(model_folder / f"fold_{number}") for number in asked]
        return cls(model_folder, folds, survival_csv)

    # --------------------------------------------------------------------------------------------- its model

    @property
    def dataset(self) -> str:
        """nnU-Net's name of the data set."""
        return self.model_folder.parent.name

    @property
    def _names(self) -> list[str]:
        names: list[str] = convert_identifier_to_trainer_plans_config(self.model_folder.name)
        return names

    @property
    def trainer(self) -> str:
        """Class name of the trainer, or name of a statistical method."""
        return self._names[0]

    @property
    def plans_name(self) -> str:
        """Plans identifier, such as ``nnUNetPlans``."""
        return self._names[1]

    @property
    def configuration(self) -> str:
        """Name of the configuration, such as ``3d_fullres``."""
        return self._names[2]

    @cached_property
    def plans(self) -> Mapping[str, Any]:
        """The plan that the model was trained with."""
        return read_plans_file(_there(self.model_folder / "plans.json"))

    @cached_property
    def dataset_json(self) -> Mapping[str, Any]:
        """Channels and labels that the model was trained with."""
        return read_dataset_json(_there(self.model_folder / "dataset.json"), "file_ending", "labels")

    @property
    def raw_folder(self) -> Path:
        """The raw data set's folder."""
        return dataset_folder(RAW, self.dataset)

    @cached_property
    def splits(self) -> list[Split]:
        """nnU-Net's splits; empty where it has none."""
        file = dataset_folder(PREPROCESSED, self.dataset) / SPLITS_FILE
        return read_splits(file) if file.is_file() else []

    @property
    def numbers_of_absent_folds(self) -> list[int]:
        """Folds of the split that are not among these."""
        there = {fold.number for fold in self.folds}
        return [] if "all" in there else [n for n in range(len(self.splits)) if n not in there]

    # ------------------------------------------------------------------------------------------ its outcomes

    @property
    def survival_csv(self) -> Path:
        """File of the table of outcomes that all folds were trained on, at its present path.

        Raises:
            ValueError: if they were trained on different ones.
        """
        if self.own_csv is not None:
            return self.own_csv
        files = sorted({str(fold.survival_csv) for fold in self.folds})
        if len(files) > 1:
            raise ValueError(
                f"The folds were trained on different survival tables ({listed(files)}), so they are no one "
                "cross-validation; choose folds of one table with -f, or one table with --survival_csv where the "
                "command has it."
            )
        return Path(files[0])

    @cached_property
    def table(self) -> SurvivalTable:
        """Table of outcomes, read from ``survival_csv``.

        Raises:
            ValueError: if it cannot be read, or is in another unit of time than the folds' predictions.
        """
        table = read_survival_table(self.survival_csv)
        self._check_same("time_unit", table.description.time_unit, table.path)
        return table

    def check_outcomes(self) -> None:
        """Raise ValueError unless the outcomes are those that every fold was trained on."""
        description, file = self.table.description, self.table.path
        self._check_same("endpoint", description.endpoint, file)
        if changed := self.folds_of_other_outcomes:
            raise ValueError(
                f"Fold {', '.join(changed)} was not trained on the outcomes that are in {file} now. Give the table "
                "that it was trained on with --survival_csv, under its old name, or train it again with --overwrite."
            )

    @property
    def folds_of_other_outcomes(self) -> list[str]:
        """Numbers of the folds that were trained on other outcomes than those in ``survival_csv`` now."""
        source, sha256 = outcomes_source(self.survival_csv), sha256_of(self.survival_csv)
        return [
            str(fold.number)
            for fold in self.folds
            if fold.summary_with("sources_sha256")["sources_sha256"].get(source) != sha256
        ]

    def _check_same(self, name: str, value: str | None, file: Path) -> None:
        """Raise ValueError unless every fold was trained with this entry of the table's description."""
        found = {fold.number: fold.summary_with(name)[name] for fold in self.folds}
        words = [f"fold {number}: {other}" for number, other in found.items() if other != value]
        if words:
            raise ValueError(
                f"{file} has the {name} {value}, but folds were trained on another ({listed(words)})."
            )

    # --------------------------------------------------------------------------------------- its predictions

    def files(self, name: str) -> list[Path]:
        """Paths of a file in every fold; empty if a fold lacks it."""
        has_all = all(fold.has_files(name) for fold in self.folds)
        return [fold.folder / name for fold in self.folds] if has_all else []

    @property
    def optimistic_folds(self) -> list[TrainedFold]:
        """Folds whose epoch was chosen on the patients that it is evaluated on."""
        return [fold for fold in self.folds if fold.epoch_was_chosen_here]

    @property
    def epochs(self) -> list[str]:
        """The last epoch, and the best one if every fold has its weights and predictions."""
        has_best = all(fold.has_epoch("best") for fold in self.folds)
        return ["best", "last"] if has_best else ["last"]

    def out_of_fold(self, epoch: str) -> CurvesByCase:
        """Predictions of every case by the fold that did not train on it, at times that all folds reach.

        Raises:
            ValueError: if a case is predicted by more than one fold, or a file cannot be used.
        """
        without = [str(fold.number) for fold in self.folds if not fold.has_epoch(epoch)]
        if without:
            raise ValueError(
                f"Fold {', '.join(without)} of {self.model_folder} has no {epoch_predictions_file(epoch)}: predict its "
                "validation cases again with adamss_finetune_survival and --val."
            )
        predictions = {fold.number: fold.predictions(epoch) for fold in self.folds}
        _check_apart({number: prediction.case_ids for number, prediction in predictions.items()})
        times = common_times([fold.edges for fold in self.folds])
        case_ids = [case_id for prediction in predictions.values() for case_id in prediction.case_ids]
        curves = [prediction.at(times).survival_curve for prediction in predictions.values()]
        return CurvesByCase(case_ids, times, np.concatenate(curves))

    def fold_of_cases(self, epoch: str) -> NDArray[np.int64]:
        """Index of the fold that predicts each case, in the order of :meth:`out_of_fold`."""
        sizes = [len(fold.predictions(epoch).case_ids) for fold in self.folds]
        return np.repeat(np.arange(len(sizes)), sizes)

    def sha256(self, epoch: str) -> dict[str, str]:
        """Hashes of the folds' checkpoints and of the outcomes, by a name for messages."""
        checkpoints = {
            f"fold {fold.number}": sha256_of(fold.folder / CHECKPOINTS[epoch]) for fold in self.folds
        }
        return checkpoints | {outcomes_source(self.table.path): sha256_of(self.table.path)}


def _check_apart(cases_by_fold: Mapping[int | str, Sequence[str]]) -> None:
    owner: dict[str, int | str] = {}
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


def _there(file: Path) -> Path:
    """Return the file; raise ValueError if it does not exist."""
    if not file.is_file():
        raise ValueError(f"{file} does not exist.")
    return file
