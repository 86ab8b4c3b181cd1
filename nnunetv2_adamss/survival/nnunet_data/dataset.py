"""nnU-Net's folders and files of a data set, and its training cases."""

import glob
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nnunetv2.utilities.dataset_name_id_conversion import maybe_convert_to_dataset_name
from nnunetv2.utilities.file_path_utilities import convert_trainer_plans_config_to_identifier
from nnunetv2.utilities.utils import get_filenames_of_train_images_and_targets

from nnunetv2_adamss.survival.nnunet_data.adamss_plans import ADAMSS_PLANS
from nnunetv2_adamss.survival.nnunet_data.dataset_json import read_dataset_json
from nnunetv2_adamss.survival.nnunet_data.plans_file import read_plans_file

logger = logging.getLogger(__name__)

RAW, PREPROCESSED, RESULTS = "nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results"


def dataset_name(id_or_name: str) -> str:
    """nnU-Net's name of a data set, such as ``Dataset001_Sarcoma``, for its name or its id.

    Raises:
        ValueError: if the id is not a number, or not of exactly one data set in nnU-Net's folders.
    """
    try:
        return str(maybe_convert_to_dataset_name(id_or_name))
    except (RuntimeError, ValueError) as error:
        # nnU-Net's own message fills a screen.
        raise ValueError(
            f"'{id_or_name}' is neither the name nor the id of one data set in {', '.join(_known_folders())}."
        ) from error


def dataset_id(name: str) -> int:
    """The number in nnU-Net's name of a data set, which nnUNetv2_preprocess takes instead of the name."""
    return int(name.removeprefix("Dataset").split("_")[0])


def dataset_folder(variable: str, name: str) -> Path:
    """The folder of a data set below one of nnU-Net's variables; it may not exist.

    Raises:
        ValueError: if the variable is not set.
    """
    root = os.environ.get(variable)
    if not root:
        raise ValueError(f"The variable {variable} is not set; set it to nnU-Net's folder.")
    return Path(root) / name


def model_folder(dataset: str, trainer: str, plans: str, configuration: str) -> Path:
    """nnU-Net's folder of all folds of a training; it may not exist.

    Args:
        dataset: id or name.
        trainer: class name.
        plans: identifier.
        configuration: such as ``3d_fullres``.

    Raises:
        ValueError: if the data set does not exist, or ``nnUNet_results`` is not set.
    """
    name = convert_trainer_plans_config_to_identifier(trainer, plans, configuration)
    return dataset_folder(RESULTS, dataset_name(dataset)) / name


def channel_names(dataset_json: Mapping[str, Any]) -> list[str]:
    """Names of the channels in the order of their numbers; older files call them modalities."""
    channels = dataset_json.get("channel_names", dataset_json.get("modality", {}))
    return [str(channels[number]) for number in sorted(channels, key=int)]


def distinct(names: Sequence[str]) -> list[str]:
    """Make names of channels distinct: repeated ones get the number of the channel."""
    return [
        name if names.count(name) == 1 else f"{name} (channel {number})" for number, name in enumerate(names)
    ]


def raw_cases(raw_folder: Path) -> list[str]:
    """Names of the training cases of a raw data set, as nnU-Net finds them."""
    return [str(case_id) for case_id in raw_images(raw_folder)]


def raw_images(raw_folder: Path) -> dict[str, dict[str, Any]]:
    """``images`` and ``label`` of every training case of a raw data set, as nnU-Net finds them, by ``case_id``.

    Raises:
        ValueError: if ``dataset.json`` is not there or holds something else.
        FileNotFoundError: if there is no folder of images.
    """
    dataset_json = read_dataset_json(raw_folder / "dataset.json", "file_ending")
    images: dict[str, dict[str, Any]] = get_filenames_of_train_images_and_targets(
        str(raw_folder), dataset_json
    )
    return images


def preprocessed_cases(preprocessed_folder: Path) -> list[str]:
    """The training cases of a preprocessed data set: nnU-Net keeps the reference mask of each.

    Raises:
        ValueError: if the data set is not preprocessed.
    """
    masks = preprocessed_folder / "gt_segmentations"
    description = preprocessed_folder / "dataset.json"
    if not masks.is_dir() or not description.is_file():
        raise ValueError(
            f"{preprocessed_folder} is not a preprocessed data set; run nnUNetv2_plan_and_preprocess first."
        )
    ending = read_dataset_json(description, "file_ending")["file_ending"]
    return sorted(path.name.removesuffix(ending) for path in masks.iterdir() if path.name.endswith(ending))


def _known_folders() -> list[str]:
    folders = {name: os.environ.get(name) for name in (RAW, PREPROCESSED, RESULTS)}
    return [f"{name} ({folder or 'not set'})" for name, folder in folders.items()]


def planned_files(dataset: str, identifier: str) -> tuple[Path, Path]:
    """The plans file and ``dataset.json`` of a preprocessed data set.

    Args:
        dataset: its name.
        identifier: of the plans, such as ``nnUNetPlans``.

    Raises:
        ValueError: if one of them does not exist.
    """
    folder = dataset_folder(PREPROCESSED, dataset)
    files = folder / f"{identifier}.json", folder / "dataset.json"
    missing = [str(path) for path in files if not path.is_file()]
    if missing:
        also = " --no_pp, then adamss_set_normalization" if identifier == ADAMSS_PLANS else ""
        raise ValueError(
            f"The data set is not planned and preprocessed; missing: {', '.join(missing)}. Run "
            f"nnUNetv2_plan_and_preprocess{also}, or choose another plan with -p."
        )
    return files


def read_plans(dataset: str, identifier: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Content of the plans file and of ``dataset.json`` of a preprocessed data set.

    Args:
        dataset: its name.
        identifier: of the plans, such as ``nnUNetPlans``.

    Raises:
        ValueError: if one of the files does not exist, is damaged, names something that nnU-Net does not
            ship, or is a copy that has kept the other plan's name.
    """
    # It imports PyTorch, so other errors come first.
    from nnunetv2_adamss.survival.foreign_files.plan_names import check_names  # noqa: PLC0415

    file, description = planned_files(dataset, identifier)
    plans, dataset_json = read_plans_file(file), read_dataset_json(description, "file_ending", "labels")
    check_names(plans, dataset_json, file)
    _check_own_name(plans, file)
    return plans, dataset_json


def _check_own_name(plans: Mapping[str, Any], file: Path) -> None:
    """Raise ValueError if nnU-Net would write a plan's results under another plan's name.

    Existing results of this kind, which version 0.1 allowed, can still be used.
    """
    name = plans["plans_name"]
    if name == file.stem:
        return
    if not _is_trained_under(name, plans):
        raise ValueError(
            f"The plan {file} calls itself '{name}', so its results would lie among those of '{name}'. Set its "
            f'plans_name to "{file.stem}" (and the data_identifier of configurations that were changed, then '
            "preprocess)."
        )
    logger.warning(
        "The plan %s calls itself '%s', and its results lie under that name. Give further copies a plans_name of "
        "their own.",
        file,
        name,
    )


def _is_trained_under(name: str, plans: Mapping[str, Any]) -> bool:
    """Return True if a model was trained with exactly this plan; nnU-Net keeps a copy of it beside all folds."""
    if not os.environ.get(RESULTS):
        return False
    trained = dataset_folder(RESULTS, plans["dataset_name"]).glob(f"*__{glob.escape(name)}__*/plans.json")
    return any(_holds_plan(file, plans) for file in trained)


def _holds_plan(file: Path, plans: Mapping[str, Any]) -> bool:
    try:
        trained = read_plans_file(file)
    except ValueError:  # of another model, and damaged
        return False
    # Options of the command line are not part of the plan.
    own, other = ({k: v for k, v in p.items() if k != "continue_training"} for p in (plans, trained))
    return own == other
