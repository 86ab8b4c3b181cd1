"""The present outcomes and split, which every training must be of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nnunetv2_adamss.benchmark.benchmark_settings import BenchmarkSettings
from nnunetv2_adamss.common.files import sha256_of
from nnunetv2_adamss.survival.cohort.outcome_files import outcome_files
from nnunetv2_adamss.survival.cohort.splits_file import SPLITS_FILE, Split, read_splits
from nnunetv2_adamss.survival.cohort.survival_table import read_survival_table
from nnunetv2_adamss.survival.nnunet_data.dataset import PREPROCESSED, dataset_folder
from nnunetv2_adamss.survival.nnunet_data.dataset_json import read_dataset_json

_PARTS = ("train", "val")


@dataclass(frozen=True)
class PresentCohort:
    """Training and validation cases of every fold, and their outcomes.

    Args:
        outcomes: hashes of the table of outcomes and of its description, as ``outcome_hashes`` has them.
        training: training cases of every fold of the split.
        validated: validation cases of every fold.
        without_outcome: cases that are used by Stage I only.
        file_ending: of masks.
    """

    outcomes: Mapping[str, str]
    training: Sequence[frozenset[str]]
    validated: Sequence[frozenset[str]]
    without_outcome: frozenset[str]
    file_ending: str

    @classmethod
    def read(cls, settings: BenchmarkSettings) -> "PresentCohort":
        """Read the cohort of a data set that ``begin`` has checked."""
        dataset_json = dataset_folder(PREPROCESSED, settings.dataset) / "dataset.json"
        splits = splits_of(settings.dataset)
        training, validated = ([frozenset(split[part]) for split in splits] for part in _PARTS)
        return cls(
            outcome_hashes(
                {name: sha256_of(file) for name, file in outcome_files(settings.outcomes).items()}
            ),
            training,
            validated,
            frozenset(read_survival_table(settings.outcomes).without_outcome),
            read_dataset_json(dataset_json, "file_ending")["file_ending"],
        )

    @property
    def n_splits(self) -> int:
        """Number of folds of the split."""
        return len(self.validated)

    def validated_with_outcome(self, fold: int) -> frozenset[str]:
        """Return the validation cases of a fold that have an outcome."""
        return self.validated[fold] - self.without_outcome


def outcome_hashes(sources: Mapping[str, str]) -> dict[str, str]:
    """Return the hashes of outcomes among the sources of a training, whatever their files are called.

    Args:
        sources: hashes by name, such as "outcomes (survival.csv)".
    """
    kinds = {name.partition(" (")[0]: sha256 for name, sha256 in sources.items()}
    return {kind: kinds[kind] for kind in ("outcomes", "description") if kind in kinds}


def splits_of(dataset: str) -> list[Split]:
    """Read nnU-Net's split of a data set.

    Raises:
        ValueError: if there is none yet, or the file holds something else.
    """
    file = dataset_folder(PREPROCESSED, dataset) / SPLITS_FILE
    if not file.is_file():
        raise ValueError(f"{file} does not exist, so the folds are unknown; run adamss_make_splits.")
    splits = read_splits(file)
    if not splits:
        raise ValueError(f"{file} is not a split: it has no folds.")
    return splits
