"""The patients whose outcomes the methods are compared on, and the outlines of their tumours."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnunetv2_adamss.evaluation.resampling import ResampledCohort
from nnunetv2_adamss.evaluation.segmentation import dice_by_label
from nnunetv2_adamss.survival.cohort.table import SurvivalTable
from nnunetv2_adamss.survival.files import read_json


@dataclass(frozen=True, eq=False)
class ComparedPatients:
    """Patients with an outcome, on which every method is judged.

    Args:
        survival: the table of their outcomes.
        fold: of each, whose patients alone are compared with each other; index ``case_id``.
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
        """The validation patients of these folds."""
        fold = {case_id: number for number in folds for case_id in splits[number]["val"]}
        return cls._with_outcome(
            survival, fold, preprocessed_folder / "gt_segmentations", preprocessed_folder / "dataset.json"
        )

    @classmethod
    def of_test_set(cls, survival: SurvivalTable, raw_folder: Path) -> "ComparedPatients":
        """All patients of another data set."""
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
            read_json(dataset_json),
        )

    @property
    def case_ids(self) -> list[str]:
        """All of them."""
        return list(self.fold.index)

    @property
    def event(self) -> NDArray[np.bool_]:
        """Of all, ``(n_cases,)``."""
        return self.survival.time_and_event(self.case_ids)[1]

    @property
    def time(self) -> NDArray[np.float64]:
        """Of all, ``(n_cases,)``."""
        return self.survival.time_and_event(self.case_ids)[0]

    def cohort(self, case_ids: Sequence[str]) -> ResampledCohort:
        """Some of them with their resamples."""
        if list(case_ids) == self.case_ids:
            return self._whole_cohort
        time, event = self.survival.time_and_event(case_ids)
        return ResampledCohort(event, time, self.fold[list(case_ids)].to_numpy())

    @cached_property
    def _whole_cohort(self) -> ResampledCohort:
        return ResampledCohort(self.event, self.time, self.fold.to_numpy())

    def dice(self, masks_of_fold: Mapping[int, Path]) -> pd.Series:
        """Dice of the tumour, all labels as one, of every patient; index ``case_id``, NaN where nobody sees a tumour.

        Args:
            masks_of_fold: folder of the predicted masks of each fold.

        Raises:
            ValueError: if a mask is missing, or has another size than the reference.
        """
        key = tuple(sorted(masks_of_fold.items()))
        if key not in self._known_dice:
            self._known_dice[key] = self._measure_dice(masks_of_fold)
        return self._known_dice[key]

    @cached_property
    def _known_dice(self) -> dict[tuple[tuple[int, Path], ...], pd.Series]:
        """Many methods share the masks of Stage I, which take minutes to read."""
        return {}

    def _measure_dice(self, masks_of_fold: Mapping[int, Path]) -> pd.Series:
        ending = self.dataset_json["file_ending"]
        files = {
            case_id: (masks_of_fold[number] / f"{case_id}{ending}", self.labels / f"{case_id}{ending}")
            for case_id, number in self.fold.items()
        }
        missing = [str(file) for pair in files.values() for file in pair if not file.is_file()]
        if missing:
            raise ValueError(f"{len(missing)} masks are missing, such as {missing[0]}")
        (tumour,) = dice_by_label(
            ((str(case_id), *pair) for case_id, pair in files.items()),
            {"tumour": self._tumour_values},
            self.dataset_json["labels"].get("ignore"),
        )
        return pd.Series(tumour.by_case, dtype=np.float64)

    @property
    def _tumour_values(self) -> tuple[int, ...]:
        labels = self.dataset_json["labels"]
        values = {
            value for name, given in labels.items() if name != "ignore" for value in np.atleast_1d(given)
        }
        return tuple(sorted(values - {0}))
