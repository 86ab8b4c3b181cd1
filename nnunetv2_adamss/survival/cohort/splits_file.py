"""nnU-Net's ``splits_final.json``: written whole, and not changed under a model that was trained on it."""

from collections.abc import Sequence
from enum import Enum
from pathlib import Path

from nnunetv2_adamss.common.files import read_json, write_json
from nnunetv2_adamss.common.kinds import holding, list_of

SPLITS_FILE = "splits_final.json"
# {"train": [case_id, ...], "val": [case_id, ...]}
Split = dict[str, list[str]]
_ARE_FOLDS = list_of(holding(train=list_of(str), val=list_of(str)))


class SplitsChange(Enum):
    """The effect of saving on the file."""

    WRITTEN = "written"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"


def save_splits(
    splits: Sequence[Split], file: Path, results_folder: Path | None, *, overwrite: bool = False
) -> SplitsChange:
    """Write a split, unless a model depends on another one.

    Args:
        splits: one for each fold.
        file: ``splits_final.json`` in the preprocessed data set's folder, which must exist.
        results_folder: of the data set's models, which may not exist; ``None`` where it is not known.
        overwrite: whether to replace another split all the same.

    Raises:
        FileExistsError: if there is another split, models were or may have been trained on it, and
            ``overwrite`` is off.
    """
    exists = file.is_file()
    if exists and _same(file, splits):
        return SplitsChange.UNCHANGED
    if exists and not overwrite:
        _check_free(file, results_folder)
    write_json(file, list(splits), indent=4)
    return SplitsChange.REPLACED if exists else SplitsChange.WRITTEN


def read_splits(file: Path) -> list[Split]:
    """Read a split, whether nnU-Net or this package made it.

    Raises:
        ValueError: naming the file, if it holds something else.
        FileNotFoundError: if it is not there.
    """
    splits: list[Split] = read_json(file)
    if not _ARE_FOLDS(splits):
        raise ValueError(
            f"{file} is not a split: it must list folds, each with its case_ids under train and val. Make it again "
            "with adamss_make_splits, or bring back the one that models were trained on."
        )
    return splits


def split_of_fold(preprocessed_folder: Path, number: int) -> Split:
    """Read the split of one fold of a preprocessed data set.

    Raises:
        ValueError: if the fold does not exist; nnU-Net itself would draw a random split.
    """
    file = preprocessed_folder / SPLITS_FILE
    splits = read_splits(file) if file.is_file() else []
    if number >= len(splits):
        raise ValueError(
            f"There is no fold {number}: {file} has {len(splits)} folds. Make splits with adamss_make_splits, or let "
            "nnU-Net make its own by training Stage I."
        )
    return splits[number]


def trained_folds(results_folder: Path) -> list[Path]:
    """The folders of the folds that have a checkpoint. ``fold_all`` is not among them: it uses no split."""
    return sorted({path.parent for path in results_folder.glob("*/fold_[0-9]*/checkpoint_*.pth")})


def _check_free(file: Path, results_folder: Path | None) -> None:
    if results_folder is None:
        raise FileExistsError(
            f"{file} holds another split, and without nnUNet_results it is not known whether a model was trained "
            "on it. Set the variable, or replace the split with --overwrite."
        )
    trained = trained_folds(results_folder)
    if trained:
        raise FileExistsError(
            f"{file} holds another split, on which {len(trained)} folds were trained, such as {trained[0]}. "
            "Their validation cases would become training cases of other models. Move the models away, or "
            "replace the split with --overwrite."
        )


def _same(file: Path, splits: Sequence[Split]) -> bool:
    try:
        return bool(read_json(file) == list(splits))
    except ValueError:
        return False
