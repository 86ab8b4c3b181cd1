"""The patients whose outcomes the methods are compared on, and the masks of their tumours."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnunetv2_adamss.metrics.dice import LabelDice, dice_by_label
from nnunetv2_adamss.metrics.resampling import ResampledCohort
from nnunetv2_adamss.survival.cohort.survival_table import SurvivalTable
from nnunetv2_adamss.survival.nnunet_data.dataset_json import read_dataset_json

_TUMOUR = "tumour, all labels as one"


@dataclass(frozen=True, eq=False)
class ComparedPatients:
    """Patients with an outcome, the ones that every method is evaluated on.

    Args:
        survival: the table of their outcomes.
        fold: of each patient; patients of different folds are not compared. Index ``case_id``.
        labels: folder of the reference masks.
        dataset_json: names labels and the ending of masks.
    """

    survival: SurvivalTable
    fold: pd.Series
    labels: Path
    dataset_json: Mapping[str, Any]

    @classmethod
    def of_folds(
        cls,
        survival: SurvivalTable,
        splits: Sequence[Mapping[str, Sequence[str]]],
        folds: Iterable[int],
        preprocessed_folder: Path,
    ) -> "ComparedPatients":
        """Return the validation patients of these folds."""
        fold = {case_id: number for number in folds for case_id in splits[number]["val"]}
        return cls._with_outcome(
            survival, fold, preprocessed_folder / "gt_segmentations", preprocessed_folder / "dataset.json"
        )

    @classmethod
    def of_test_set(cls, survival: SurvivalTable, raw_folder: Path) -> "ComparedPatients":
        """Return all patients of another data set."""
        fold = dict.fromkeys(survival.case_ids, 0)
        return cls._with_outcome(survival, fold, raw_folder / "labelsTr", raw_folder / "dataset.json")

    @classmethod
    def _with_outcome(
        cls, survival: SurvivalTable, fold: Mapping[str, int], labels: Path, dataset_json: Path
    ) -> "ComparedPatients":
        has_outcome = survival.has_outcome(list(fold))
        return cls(
            survival,
            pd.Series(fold, dtype=np.int64)[has_outcome],
            labels,
            read_dataset_json(dataset_json, "file_ending", "labels"),
        )

    @property
    def case_ids(self) -> list[str]:
        """Case identifiers of all patients."""
        return list(self.fold.index)

    @property
    def event(self) -> NDArray[np.bool_]:
        """True where the event was observed, ``(n_cases,)``."""
        return self.survival.time_and_event(self.case_ids)[1]

    @property
    def time(self) -> NDArray[np.float64]:
        """Times to event or censoring, ``(n_cases,)``."""
        return self.survival.time_and_event(self.case_ids)[0]

    def cohort(self, case_ids: Sequence[str]) -> ResampledCohort:
        """Return some of the patients with their resamples."""
        if list(case_ids) == self.case_ids:
            return self._whole_cohort
        time, event = self.survival.time_and_event(case_ids)
        return ResampledCohort(event, time, self.fold[list(case_ids)].to_numpy())

    @cached_property
    def _whole_cohort(self) -> ResampledCohort:
        return ResampledCohort(self.event, self.time, self.fold.to_numpy())

    def dice(self, masks_of_fold: Mapping[int, Path], *, has_labels: bool) -> "MeasuredDice":
        """Measure the Dice of every patient.

        Args:
            masks_of_fold: folder of the predicted masks of each fold.
            has_labels: whether these have the labels of the data set, not one for all.

        Raises:
            ValueError: if a mask is missing, cannot be read, or lies on another grid than the reference.
        """
        key = tuple(sorted(masks_of_fold.items()))
        if key not in self._known_dice:
            try:
                self._known_dice[key] = self._measure_dice(masks_of_fold, has_labels)
            except ValueError as error:
                self._known_dice[key] = error
        found = self._known_dice[key]
        if isinstance(found, ValueError):
            raise found
        return found

    @cached_property
    def _known_dice(self) -> "dict[tuple[tuple[int, Path], ...], MeasuredDice | ValueError]":
        """Measured Dice by mask folders: many methods share Stage I's masks, which take minutes to read."""
        return {}

    def _measure_dice(self, masks_of_fold: Mapping[int, Path], has_labels: bool) -> "MeasuredDice":
        ending = self.dataset_json["file_ending"]
        files = {
            str(case_id): (masks_of_fold[number] / f"{case_id}{ending}", self.labels / f"{case_id}{ending}")
            for case_id, number in self.fold.items()
        }
        missing = [str(file) for pair in files.values() for file in pair if not file.is_file()]
        if missing:
            are_missing = "1 mask is missing" if len(missing) == 1 else f"{len(missing)} masks are missing"
            raise ValueError(f"{are_missing}, such as {missing[0]}")
        values = self._values_of_labels
        tumour = {_TUMOUR: tuple(sorted({value for of_label in values.values() for value in of_label}))}
        whole, *parts = dice_by_label(
            ((case_id, *pair) for case_id, pair in files.items()),
            tumour | (values if has_labels and len(values) > 1 else {}),
            self.dataset_json["labels"].get("ignore"),
        )
        return MeasuredDice(pd.Series(whole.by_case, dtype=np.float64), whole.aggregated, parts)

    @property
    def _values_of_labels(self) -> dict[str, tuple[int, ...]]:
        """Values of every label or region except the background."""
        given = {
            name: tuple(int(value) for value in np.atleast_1d(values) if value != 0)
            for name, values in self.dataset_json["labels"].items()
            if name != "ignore"
        }
        return {name: values for name, values in given.items() if values}


@dataclass(frozen=True, eq=False)
class MeasuredDice:
    """Agreement of masks with the references.

    Attributes:
        by_case: of the tumour, all labels as one; index ``case_id``, NaN where both masks are empty.
        aggregated: of all patients' voxels taken together; None where all masks are empty.
        labels: of each label, where there are several and the masks distinguish them.
    """

    by_case: pd.Series
    aggregated: float | None
    labels: Sequence[LabelDice]
