"""The outcomes and the split as they are now, which every finished fold must be of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nnunetv2_adamss.benchmark.settings import BenchmarkSettings
from nnunetv2_adamss.survival.cohort.splits_file import SPLITS_FILE
from nnunetv2_adamss.survival.cohort.table import read_survival_table
from nnunetv2_adamss.survival.files import read_json, sha256_of
from nnunetv2_adamss.survival.nnunet_data.dataset import PREPROCESSED, dataset_folder


@dataclass(frozen=True)
class Cohort:
    """Who is validated in which fold, and what happened to them.

    Args:
        outcomes_sha256: of the table of outcomes.
        validated: validation cases of every fold of the split.
        without_outcome: cases that serve Stage I only.
        file_ending: of masks.
    """

    outcomes_sha256: str
    validated: Sequence[frozenset[str]]
    without_outcome: frozenset[str]
    file_ending: str

    @classmethod
    def read(cls, settings: BenchmarkSettings) -> "Cohort":
        """Of a data set that ``begin`` has checked."""
        dataset_json = dataset_folder(PREPROCESSED, settings.dataset) / "dataset.json"
        return cls(
            sha256_of(settings.outcomes),
            [frozenset(split["val"]) for split in read_splits(settings.dataset)],
            frozenset(read_survival_table(settings.outcomes).without_outcome),
            read_json(dataset_json)["file_ending"],
        )

    @property
    def n_splits(self) -> int:
        """Folds of the split."""
        return len(self.validated)

    def judged(self, fold: int) -> frozenset[str]:
        """The validation cases of a fold that have an outcome."""
        return self.validated[fold] - self.without_outcome


def read_splits(dataset: str) -> list[dict[str, Any]]:
    """nnU-Net's split of a data set.

    Raises:
        ValueError: if there is none yet.
    """
    file = dataset_folder(PREPROCESSED, dataset) / SPLITS_FILE
    if not file.is_file():
        raise ValueError(
            f"There is no {file}, so it is not known what the folds are; run adamss_make_splits."
        )
    splits: list[dict[str, Any]] = read_json(file)
    return splits
