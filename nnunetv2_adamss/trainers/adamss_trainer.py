"""The trainer of both stages: schedule, seeded weights, and checkpoints that survive a kill."""

import math
import os
import sys
from collections.abc import Iterator, Mapping
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from nnunetv2.training.dataloading.nnunet_dataset import nnUNetBaseDataset
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

from nnunetv2_adamss.common.checkpoint import WEIGHTS, are_weights, read_checkpoint
from nnunetv2_adamss.common.files import UNFINISHED, put_in_place, removed_on_failure
from nnunetv2_adamss.common.kinds import Kind
from nnunetv2_adamss.methods.recipe import Recipe
from nnunetv2_adamss.survival.foreign_files.plan_names import check_names
from nnunetv2_adamss.survival.foreign_files.preprocessed_cases import cases_class, check_cases
from nnunetv2_adamss.survival.nnunet_data.dataset import channel_names
from nnunetv2_adamss.survival.nnunet_data.modalities import find_channel
from nnunetv2_adamss.trainers.best_epoch import last_epoch_is_best
from nnunetv2_adamss.trainers.class_attributes import with_class_attributes
from nnunetv2_adamss.trainers.learning_rate import StepwiseLR
from nnunetv2_adamss.trainers.supported_plan import check_supported

# Entries that nnU-Net reads first from a checkpoint; an optimizer's state that does not fit is reported later.
_TO_GO_ON: Mapping[str, Kind] = {
    WEIGHTS: are_weights,
    "logging": Mapping,
    "current_epoch": int,
    "init_args": Mapping,
}


class AdaMSSTrainer(nnUNetTrainer):
    """nnU-Net's trainer with the schedule of a recipe (Section 4.2) and its own rule for ``checkpoint_best``.

    Plans, data loading, augmentation, devices, mixed precision, compile, several GPUs, logs and the final
    validation are nnU-Net's.
    """

    recipe: Recipe
    initialisation_seed = 2024
    # The logger's value that decides on checkpoint_best; higher is better.
    score_name = "mean_fg_dice"

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        trainers = [base for base in cls.__bases__ if issubclass(base, AdaMSSTrainer)]
        recipes = [base.recipe for base in trainers if hasattr(base, "recipe")]
        if "recipe" not in vars(cls):
            if any(recipe != recipes[0] for recipe in recipes):
                raise TypeError(
                    f"{cls.__name__} is a subclass of trainers with different recipes; give it a 'recipe' of its own."
                )
            if not recipes:
                return
        own = takewhile(lambda base: base is cls or not issubclass(base, AdaMSSTrainer), cls.__mro__)
        cls.recipe = with_class_attributes(cls.recipe, cls.__name__, own)
        if faults := list(cls.faults_of(cls.recipe)):
            raise TypeError(f"The recipe of {cls.__name__} cannot be trained: {'; '.join(faults)}.")

    @classmethod
    def faults_of(cls, recipe: Recipe) -> Iterator[str]:
        """Yield a sentence for everything in a recipe that this kind of trainer cannot do."""
        schedule = recipe.schedule
        if len(schedule.learning_rates) <= len(schedule.drops_at):
            yield f"{len(schedule.drops_at)} drops need {len(schedule.drops_at) + 1} learning rates"
        if not hasattr(torch.optim, schedule.optimizer):
            yield f"torch.optim has no optimizer {schedule.optimizer!r}"

    def __init__(
        self,
        plans: dict[str, Any],
        configuration: str,
        fold: int,
        dataset_json: dict[str, Any],
        device: torch.device = torch.device("cuda"),  # noqa: B008  nnU-Net's own signature
    ) -> None:
        self.check_plan(plans, configuration, dataset_json)
        super().__init__(plans, configuration, fold, dataset_json, device)
        schedule = self.recipe.schedule
        self.num_epochs = schedule.n_epochs
        self.num_iterations_per_epoch = schedule.n_iterations
        self.num_val_iterations_per_epoch = schedule.n_val_iterations
        self.initial_lr = schedule.learning_rates[0]
        self.weight_decay = schedule.weight_decay
        self.enable_deep_supervision = False
        # nnU-Net's 50 would leave nothing to continue from in a training of 50 epochs; on_epoch_end saves instead.
        self.save_every = sys.maxsize

    @classmethod
    def check_plan(cls, plans: dict[str, Any], configuration: str, dataset_json: dict[str, Any]) -> None:
        """Raise ValueError, before anything is written, if this trainer cannot work with plan and data set."""
        if cls.recipe.modality:
            find_channel(channel_names(dataset_json), cls.recipe.modality)
        check_names(plans, dataset_json, "The plan")
        check_supported(plans, configuration, dataset_json)

    def initialize(self) -> None:
        """Extend nnU-Net's method: draw the weights from a seed of their own.

        Raises:
            ValueError: if no cases are preprocessed by this plan.
        """
        # nnU-Net's own class unpickles the files of cases without a check.
        checked_class = cases_class(self.preprocessed_dataset_folder)
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(self.initialisation_seed)
            super().initialize()
        if self.is_ddp:
            # Synchronised batch normalisation has equal statistics everywhere. Broadcasting them at every
            # forward pass would hang the final validation, where each GPU has a different number of tiles.
            self.network.broadcast_buffers = False
        self.dataset_class = checked_class

    def get_tr_and_val_datasets(self) -> tuple[nnUNetBaseDataset, nnUNetBaseDataset]:
        """Extend nnU-Net's method: check each case's files before the training starts.

        Raises:
            ValueError: naming the cases whose files are damaged or hold code.
        """
        training, validation = super().get_tr_and_val_datasets()
        check_cases(training)
        check_cases(validation)
        return training, validation

    def _do_i_compile(self) -> bool:
        # torch.compile breaks its graph at every synchronised batch normalisation, which only DDP has.
        return bool(super()._do_i_compile()) and not self.is_ddp

    def configure_optimizers(self) -> tuple[torch.optim.Optimizer, StepwiseLR]:
        """Make the schedule's optimizer, by default Adam, with stepwise learning rates (Section 4.2)."""
        schedule = self.recipe.schedule
        optimizer: torch.optim.Optimizer = getattr(torch.optim, schedule.optimizer)(
            self.parameter_groups(), lr=self.initial_lr, weight_decay=self.weight_decay
        )
        return optimizer, StepwiseLR(optimizer, schedule.learning_rates, self.num_epochs, schedule.drops_at)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Groups of the parameters that the optimizer trains."""
        return [{"params": list(self.network.parameters())}]

    def set_deep_supervision_enabled(self, enabled: bool) -> None:
        """Do nothing: the network has one output."""

    def on_train_start(self) -> None:
        """Extend nnU-Net's method: clean up after a killed run."""
        super().on_train_start()
        if self.local_rank == 0:
            # Only checkpoints: other processes may be writing other files in this folder.
            for leftover in Path(self.output_folder).glob(f"checkpoint_*{UNFINISHED}"):
                leftover.unlink()
        # Killed between the two checkpoints of an epoch, checkpoint_best may miss that epoch.
        if self.current_epoch > 0:
            self._save_if_best()

    def on_epoch_end(self) -> None:
        """Replace nnU-Net's method: save a checkpoint every epoch, and ``checkpoint_best`` by this epoch's score."""
        self._end_epoch()
        self._save_last_epoch("checkpoint_latest.pth")
        self._save_if_best()

    def _end_epoch(self) -> None:
        """Log, plot and count the epoch."""
        # nnU-Net's exponential average lags too far behind in a short training; with an infinite best value so far
        # nnU-Net never acts on it.
        self._best_ema = math.inf
        super().on_epoch_end()

    def save_checkpoint(self, filename: str) -> None:
        """Extend nnU-Net's method: the file appears under its name only when it is complete."""
        # Plain numbers, so that the file can be read without unpickling arbitrary objects.
        plain_log = {key: np.asarray(values).tolist() for key, values in self.logger.get_checkpoint().items()}
        self.logger.load_checkpoint(plain_log)
        # The other GPUs' processes write nothing and must not rename what the first is still writing.
        if self.local_rank != 0 or self.disable_checkpointing:
            super().save_checkpoint(filename)
            return
        file, unfinished = Path(filename), Path(filename + UNFINISHED)
        with removed_on_failure(file, unfinished):
            super().save_checkpoint(str(unfinished))
            put_in_place(unfinished, file)

    def load_checkpoint(self, filename_or_checkpoint: str) -> None:
        """Extend nnU-Net's method: check the file, which nnU-Net would unpickle without a check.

        Raises:
            ValueError: naming the file, if it is damaged, holds code, or is of another network.
        """
        file = Path(filename_or_checkpoint)
        read_checkpoint(file, _TO_GO_ON, mapped=True)
        if not self.was_initialized:
            self.initialize()
        try:
            super().load_checkpoint(filename_or_checkpoint)
        # Weights of another network, or an optimizer's state that does not fit.
        except (RuntimeError, KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(
                f"{file} does not fit this training ({type(error).__name__}: {error})."
            ) from error

    def _save_if_best(self) -> None:
        scores = self.logger.get_value(self.score_name, step=None)
        losses = self.logger.get_value("val_losses", step=None)
        if last_epoch_is_best(scores, losses):
            self.print_to_log_file(f"New best validation score: {scores[-1]:.4f}")
            self._save_last_epoch("checkpoint_best.pth")

    def _save_last_epoch(self, name: str) -> None:
        # on_epoch_end has counted up already; save_checkpoint expects the epoch that just ended.
        self.current_epoch -= 1
        self.save_checkpoint(os.path.join(self.output_folder, name))
        self.current_epoch += 1
