"""Detection of splits that nnU-Net drew by itself, without regard to events."""

from collections.abc import Sequence

from nnunetv2.utilities.crossval_split import generate_crossval_split

from nnunetv2_adamss.survival.cohort.outcomes_path import default_outcomes
from nnunetv2_adamss.survival.cohort.splits_file import SPLITS_FILE, Split, read_splits
from nnunetv2_adamss.survival.nnunet_data.dataset import PREPROCESSED, dataset_folder, dataset_id

# nnU-Net's number of folds, and so the fewest cases that it can split.
_N_FOLDS = 5


def not_split_by_events(dataset: str) -> str | None:
    """A warning for a data set with outcomes whose splits are nnU-Net's own, or not made yet; None for all others.

    Args:
        dataset: nnU-Net's name.
    """
    try:
        survival_csv = default_outcomes(dataset)
        file = dataset_folder(PREPROCESSED, dataset) / SPLITS_FILE
        if not survival_csv.is_file() or (file.is_file() and not are_drawn_by_nnunet(read_splits(file))):
            return None
    # Folders that are not set, or a file of another kind: reported by the steps that need them.
    except (ValueError, OSError):
        return None
    return (
        f"There are outcomes in {survival_csv}, but the folds are nnU-Net's own, which do not spread events evenly, so "
        "Stage II may refuse them; to predict survival, stop now and run adamss_make_splits -d "
        f"{dataset_id(dataset)} before Stage I."
    )


def are_drawn_by_nnunet(splits: Sequence[Split]) -> bool:
    """Return True if these are the splits that nnU-Net makes if there are none; it always draws the same."""
    if len(splits) != _N_FOLDS:
        return False
    case_ids = sorted({*splits[0]["train"], *splits[0]["val"]})
    return len(case_ids) >= _N_FOLDS and list(splits) == generate_crossval_split(case_ids)
