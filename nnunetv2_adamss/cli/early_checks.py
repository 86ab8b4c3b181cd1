"""Checks of the files and names that a user typed, done before PyTorch is imported."""

import os
from argparse import Namespace
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path

from nnunetv2_adamss.cli.model_options import checkpoint_name, fold_number
from nnunetv2_adamss.methods.table import RECIPES
from nnunetv2_adamss.plugin_folder import PLUGIN_FOLDER


def check_inputs(files: Iterable[str | Path | None] = (), folders: Iterable[str | Path | None] = ()) -> None:
    """Raise ValueError naming the files and folders that do not exist; None stands for one that was not given."""
    faults = [f"{file}: the file does not exist." for file in files if file and not Path(file).is_file()]
    faults += [f"There is no folder {folder}." for folder in folders if folder and not Path(folder).is_dir()]
    if faults:
        raise ValueError(" ".join(faults))


def check_cross_validation(args: Namespace, *needed: str) -> None:
    """Raise ValueError unless the folds of ``-f`` are trained to the end, or any fold if ``-f`` is not given.

    Args:
        args: with the model's ``-d``, ``-c``, ``-tr`` and ``-p``.
        needed: files of each fold.
    """
    from nnunetv2_adamss.trained_folds.complete_folds import complete_folds

    complete_folds(folder_of_model(args), args.folds and [fold_number(fold) for fold in args.folds], *needed)


def check_checkpoints(model_folder: Path, folds: Sequence[str], checkpoint: str | None) -> None:
    """Raise ValueError unless these folds of a model have the checkpoint of ``-chk``, or the default one."""
    from nnunetv2_adamss.trained_folds.complete_folds import check_checkpoint

    for fold in folds:
        check_checkpoint(model_folder.resolve() / f"fold_{fold}" / checkpoint_name(checkpoint, fold))


def folder_of_model(args: Namespace) -> Path:
    """Return the folder of the model that ``-d``, ``-c``, ``-tr`` and ``-p`` name."""
    from nnunetv2_adamss.survival.nnunet_data.dataset import model_folder

    return model_folder(args.dataset, args.trainer, args.plans, args.configuration)


def check_planned_fold(dataset: str, plans: str, fold: str) -> None:
    """Raise ValueError unless a data set is planned and preprocessed, and its split has this fold.

    Args:
        dataset: nnU-Net's id or name.
        plans: identifier.
        fold: number, or ``all``, which every data set has.
    """
    from nnunetv2_adamss.survival.cohort.splits_file import split_of_fold
    from nnunetv2_adamss.survival.nnunet_data.dataset import (
        PREPROCESSED,
        dataset_folder,
        dataset_name,
        planned_files,
    )

    name = dataset_name(dataset)
    planned_files(name, plans)
    if fold != "all":
        split_of_fold(dataset_folder(PREPROCESSED, name), int(fold))


def check_trainer(name: str, flag: str = "-tr") -> None:
    """Raise ValueError if nnU-Net cannot find a trainer: it is not of this package, and the user has no others.

    Args:
        name: of the class.
        flag: with which it was given.
    """
    if name in RECIPES or name.startswith("nnUNetTrainer") or _has_own_trainers():
        return
    alike = get_close_matches(name, RECIPES, n=1, cutoff=0.8)
    hint = f" Did you mean {alike[0]}?" if alike else ""
    raise ValueError(f"nnU-Net finds no trainer {name} ({flag}).{hint}")


def _has_own_trainers() -> bool:
    """Return True if nnU-Net also searches folders of the user's own."""
    folders = os.environ.get("nnUNet_extTrainer", "").split(os.pathsep)
    return any(Path(folder).resolve() != Path(PLUGIN_FOLDER).resolve() for folder in folders if folder)
