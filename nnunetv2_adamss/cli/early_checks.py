"""Checks of the files and names that a user typed, done before PyTorch is imported."""

import os
from argparse import Namespace
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnunetv2_adamss.cli.model_options import checkpoint_name, fold_number
from nnunetv2_adamss.methods.recipe import SurvivalRecipe
from nnunetv2_adamss.methods.table import RECIPES
from nnunetv2_adamss.plugin_folder import PLUGIN_FOLDER

if TYPE_CHECKING:
    from nnunetv2_adamss.survival.config import SurvivalConfig


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


def check_model(model: Path, folds: Sequence[str], checkpoint: str | None) -> None:
    """Raise ValueError unless ``-m`` is a zip, or a folder whose folds have the checkpoint.

    Args:
        model: path that the user gave.
        folds: of ``-f``.
        checkpoint: of ``-chk``, or None.
    """
    from nnunetv2_adamss.prediction.model_path import check_model_path

    check_model_path(model)
    if model.is_dir():
        check_checkpoints(model, folds, checkpoint)


def check_images(images: Path, model_folder: Path) -> None:
    """Raise ValueError unless a folder has images of new patients that are named as a model needs them.

    Args:
        images: folder that the user gave.
        model_folder: of the model; without a ``dataset.json``, nothing is checked.
    """
    from nnunetv2_adamss.prediction.patient_images import find_patients
    from nnunetv2_adamss.survival.nnunet_data.dataset import channel_names
    from nnunetv2_adamss.survival.nnunet_data.dataset_json import read_dataset_json

    file = model_folder / "dataset.json"
    if file.is_file():
        description = read_dataset_json(file, "file_ending")
        find_patients(images, len(channel_names(description)), description["file_ending"])


def folder_of_model(args: Namespace) -> Path:
    """Return the folder of the model that ``-d``, ``-c``, ``-tr`` and ``-p`` name."""
    from nnunetv2_adamss.survival.nnunet_data.dataset import model_folder

    return model_folder(args.dataset, args.trainer, args.plans, args.configuration)


def check_planned(
    dataset: str, plans: str, configuration: str | None = None, folds: Iterable[str | int] = ()
) -> Mapping[str, Any]:
    """Return the plan of a data set.

    Args:
        dataset: nnU-Net's id or name.
        plans: identifier.
        configuration: that the plan must have, such as ``3d_fullres``; None for any.
        folds: numbers that its split must have, or ``all``, which every data set has.

    Raises:
        ValueError: unless the data set is planned and preprocessed, with this configuration and these folds.
    """
    from nnunetv2_adamss.survival.cohort.splits_file import split_of_fold
    from nnunetv2_adamss.survival.nnunet_data.dataset import dataset_name, planned_files
    from nnunetv2_adamss.survival.nnunet_data.plans_file import check_configuration, read_plans_file

    file, _ = planned_files(dataset_name(dataset), plans)
    plan = read_plans_file(file)
    if configuration is not None:
        check_configuration(plan, configuration)
    for fold in folds:
        if fold != "all":
            split_of_fold(file.parent, int(fold))
    return plan


def check_training(args: Mapping[str, Any], trainer: str, settings: Mapping[str, Any]) -> None:
    """Raise ValueError if names, settings or files already tell that a survival training cannot begin or continue.

    Args:
        args: of adamss_finetune_survival.
        trainer: class name, of this package or the user's own, whose default settings are not known here.
        settings: of ``SurvivalConfig`` that the user gave.
    """
    from nnunetv2_adamss.survival.config import SurvivalConfig
    from nnunetv2_adamss.survival.nnunet_data.dataset import model_folder
    from nnunetv2_adamss.trained_folds.checkpoint_to_resume import checkpoint_to_resume

    recipe = RECIPES.get(trainer)
    config = SurvivalConfig.from_dict({**getattr(recipe, "default_settings", {}), **settings})
    plan = check_planned(args["dataset"], args["plans"], args["configuration"], [args["fold"]])
    if plan["plans_name"] != args["plans"]:
        return  # a copy that kept the other plan's name, of which the training says more
    model = model_folder(args["dataset"], trainer, plan["plans_name"], args["configuration"])
    how = {name: args[name] for name in ("continue_training", "only_validation", "overwrite")}
    checkpoint_to_resume(model / f"fold_{fold_number(args['fold'])}", **how)
    is_new = not (args["continue_training"] or args["only_validation"])
    if is_new and isinstance(recipe, SurvivalRecipe):
        _check_start(plan, args, config)


def _check_start(plan: Mapping[str, Any], args: Mapping[str, Any], config: "SurvivalConfig") -> None:
    """Raise ValueError unless the outcomes and the Stage-I checkpoint of a new training exist."""
    from nnunetv2_adamss.survival.cohort.outcomes_path import default_outcomes
    from nnunetv2_adamss.survival.tumour_region.stage_one_file import StageOneFile

    check_inputs([config.survival_csv or default_outcomes(plan["dataset_name"])])
    fold = fold_number(args["fold"])
    StageOneFile(config.seg_trainer, plan, args["configuration"], fold, config.seg_checkpoint).check_exists()


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
