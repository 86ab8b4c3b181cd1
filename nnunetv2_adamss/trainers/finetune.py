"""Stage II as one call: prepare the training, write settings and record, and let nnU-Net train."""

import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from nnunetv2.run.run_training import run_training
from nnunetv2.utilities.file_path_utilities import get_output_folder
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

from nnunetv2_adamss.common.device import torch_device
from nnunetv2_adamss.networks.adamss import AdaMSSSurvival
from nnunetv2_adamss.networks.registry import build_survival_network
from nnunetv2_adamss.radiomics.missing import extract_missing_radiomics
from nnunetv2_adamss.survival.config import CONFIG_FILE, SurvivalConfig
from nnunetv2_adamss.survival.covariates.covariate_results import COVARIATE_FILES
from nnunetv2_adamss.survival.covariates.covariate_tables import CovariateUse
from nnunetv2_adamss.survival.foreign_files.trainer_names import find_trainer
from nnunetv2_adamss.survival.nnunet_data.dataset import dataset_name, read_plans
from nnunetv2_adamss.survival.nnunet_data.nnunet_fold import NnunetFold
from nnunetv2_adamss.survival.nnunet_data.plan_sizes import network_sizes
from nnunetv2_adamss.survival.prepared_training import PREPARED_FILE, write_prepared
from nnunetv2_adamss.survival.setup import SurvivalSetup
from nnunetv2_adamss.trained_folds.checkpoint_to_resume import checkpoint_to_resume
from nnunetv2_adamss.trained_folds.fold_files import CHECKPOINT_FILES, PREDICTIONS_FILE, SUMMARY_FILE
from nnunetv2_adamss.trained_folds.survival_checkpoint import SurvivalCheckpoint
from nnunetv2_adamss.trainers.checked_network import checked_network
from nnunetv2_adamss.trainers.log_to_trainer import library_logs_to
from nnunetv2_adamss.trainers.survival_trainer import SurvivalTrainer
from nnunetv2_adamss.trainers.threads import threads_of_training

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FinetuneRequest:
    """The request to train one fold of Stage II.

    Args:
        dataset: nnU-Net's name or id.
        configuration: such as ``3d_fullres``.
        fold: number or ``all``.
        settings: those of ``SurvivalConfig`` that the user gave, by name.
        trainer: class name.
        plans: plans identifier.
        device: cpu, cuda or mps.
        num_gpus: processes, one a GPU.
        continue_training: continue from the latest checkpoint.
        only_validation: predict and score the validation cases again.
        overwrite: replace an existing training.
    """

    dataset: str
    configuration: str
    fold: int | str
    settings: Mapping[str, Any]
    trainer: str = "AdaMSSSurvTrainer"
    plans: str = "nnUNetPlans"
    device: str = "cuda"
    num_gpus: int = 1
    continue_training: bool = False
    only_validation: bool = False
    overwrite: bool = False


def finetune_survival(request: FinetuneRequest) -> Path:
    """Fine-tune a Stage-I network for survival.

    Returns:
        The fold's folder, with checkpoints, predictions and summary.

    Raises:
        ValueError: before anything but masks and radiomics is written or removed, if the request cannot be met, or
            if table, split, masks, covariates or Stage-I checkpoint cannot be used.
    """
    name = dataset_name(request.dataset)
    plans, dataset_json = read_plans(name, request.plans)
    trainer = _trainer_class(request.trainer)
    trainer.check_plan(plans, request.configuration, dataset_json)
    plan_batch_size = PlansManager(plans).get_configuration(request.configuration).batch_size
    batch_size = trainer.recipe.schedule.batch_size or plan_batch_size
    _check_device(request, batch_size)
    trainer.check_shares(batch_size, request.num_gpus)
    # As in the trainer; a copied plans file keeps the name that is written in it.
    folder = Path(
        get_output_folder(name, request.trainer, plans["plans_name"], request.configuration, request.fold)
    )
    nnunet_fold = NnunetFold(plans, dataset_json, request.configuration, request.fold)
    checkpoint = checkpoint_to_resume(
        folder,
        continue_training=request.continue_training,
        only_validation=request.only_validation,
        overwrite=request.overwrite,
    )
    if checkpoint is None:
        setup, remarks = _begin(request, nnunet_fold, folder, trainer)
        if request.overwrite:
            _remove_training(folder)
        write_prepared(folder, setup, trainer.recipe.covariate_use, remarks)
        config = setup.fold.config
    else:
        config = _continued_settings(request, nnunet_fold, checkpoint, trainer.recipe.covariate_use)
    config.save(folder)
    with threads_of_training(request.device):
        run_training(
            name,
            request.configuration,
            request.fold,
            request.trainer,
            request.plans,
            num_gpus=request.num_gpus,
            continue_training=request.continue_training,
            only_run_validation=request.only_validation,
            device=torch.device(request.device),
        )
    return folder


def _check_device(request: FinetuneRequest, batch_size: int) -> None:
    torch_device(request.device, "train")
    if request.num_gpus > 1 and request.device != "cuda":
        raise ValueError(f"-num_gpus {request.num_gpus} needs -device cuda, not {request.device}.")
    most = min(batch_size, torch.cuda.device_count()) if request.device == "cuda" else 1
    if not 1 <= request.num_gpus <= most:
        raise ValueError(
            f"-num_gpus is {request.num_gpus}, but must be from 1 to {most}: a batch of {batch_size} is "
            f"shared by the GPUs, of which there are {torch.cuda.device_count()}."
        )


def _trainer_class(name: str) -> type[SurvivalTrainer]:
    trainer = find_trainer(name)
    if trainer is None:
        raise ValueError(f"nnU-Net finds no trainer {name} (-tr).")
    if not issubclass(trainer, SurvivalTrainer):
        raise ValueError(
            f"{name} (-tr) does not predict survival; it must be AdaMSSSurvTrainer, a variant of it or a comparison "
            "method. The Stage-I trainer is given with -seg_tr."
        )
    return trainer


def _begin(
    request: FinetuneRequest, nnunet_fold: NnunetFold, folder: Path, trainer: type[SurvivalTrainer]
) -> tuple[SurvivalSetup, list[str]]:
    """Prepare a new training; return it with the messages that were logged meanwhile."""
    config = SurvivalConfig.from_dict({**trainer.recipe.default_settings, **request.settings})
    if request.continue_training and (folder / CONFIG_FILE).is_file():
        # Stopped before the first checkpoint: there are only the settings.
        config = _checked(SurvivalConfig.of_fold(folder), request, folder)
    trainer.check_settings(config)
    split, use = nnunet_fold.split(), trainer.recipe.covariate_use
    with library_logs_to(lambda message: None):  # all of it is logged again below
        unfitted = SurvivalSetup.before_fitting(nnunet_fold, config, split, use)
    _check_start(trainer, unfitted, nnunet_fold)
    if use.radiomics:
        # After all other checks: masks and features may take an hour.
        extract_missing_radiomics(nnunet_fold, unfitted, request.device)
    remarks: list[str] = []
    with library_logs_to(remarks.append):
        setup = SurvivalSetup.begin(nnunet_fold, config, split, use, network=trainer.recipe.network)
    return setup, remarks


def _check_start(trainer: type[SurvivalTrainer], setup: SurvivalSetup, nnunet_fold: NnunetFold) -> None:
    """Raise ValueError if the network cannot start from Stage I, which may have another fusion strategy."""
    if not trainer.recipe.starts_from_stage_one:
        return
    configuration = PlansManager(dict(nnunet_fold.plans)).get_configuration(nnunet_fold.configuration)
    sizes = network_sizes(setup.fold, configuration, nnunet_fold.dataset_json)
    network = checked_network(build_survival_network(trainer.recipe.network, sizes), AdaMSSSurvival)
    try:
        network.load_stage_one(setup.stage_one.weights())
    except ValueError as error:
        raise ValueError(
            f"{trainer.__name__} cannot start from {setup.stage_one.checkpoint} (-seg_tr). {error}"
        ) from error


def _continued_settings(
    request: FinetuneRequest, nnunet_fold: NnunetFold, checkpoint: Path, use: CovariateUse
) -> SurvivalConfig:
    """Settings of a checkpoint with the present paths, after checking that the training can continue."""
    fold = SurvivalCheckpoint.read(checkpoint, mapped=True).survival.with_paths_of(checkpoint.parent)
    fold = replace(fold, config=_checked(fold.config, request, checkpoint.parent))
    SurvivalSetup.resume(nnunet_fold, fold, nnunet_fold.split(), use)
    return fold.config


def _checked(config: SurvivalConfig, request: FinetuneRequest, folder: Path) -> SurvivalConfig:
    """Settings of a continued training with the present paths; ValueError if others are requested."""
    conflicts = config.differences(request.settings)
    if conflicts:
        raise ValueError(
            f"The training in {folder} was started with other settings: {'; '.join(conflicts)}. Leave these "
            "options out to continue it, or start again with --overwrite."
        )
    return config.with_paths(request.settings)


def _remove_training(folder: Path) -> None:
    """Remove the former training's files that a new one might not replace; its logs stay."""
    for name in (
        *CHECKPOINT_FILES,
        CONFIG_FILE,
        PREPARED_FILE,
        SUMMARY_FILE,
        *COVARIATE_FILES,
        "progress.png",
    ):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree((folder / PREDICTIONS_FILE).parent, ignore_errors=True)
