"""Stage I: the network learns to segment the tumour (Sections 3.4 and 4.2)."""

from collections.abc import Iterator
from typing import Any

import torch
from nnunetv2.utilities.plans_handling.plans_handler import ConfigurationManager, PlansManager
from torch import nn

from nnunetv2_adamss.methods.recipe import ONE_PASS, Recipe
from nnunetv2_adamss.networks.adamss import AdaMSS
from nnunetv2_adamss.networks.fusion_strategies import FUSION_STRATEGIES
from nnunetv2_adamss.survival.nnunet_data.ct_window import lost_by_ct_window
from nnunetv2_adamss.survival.nnunet_data.dataset import channel_names
from nnunetv2_adamss.survival.nnunet_data.modalities import find_channel
from nnunetv2_adamss.survival.nnunet_data.plan_stages import stages_of
from nnunetv2_adamss.survival.nnunet_data.random_splits import not_split_by_events
from nnunetv2_adamss.trained_folds.training_cases import TRAINING_CASES, check_same_training_cases
from nnunetv2_adamss.trainers.adamss_trainer import AdaMSSTrainer
from nnunetv2_adamss.trainers.dice_focal_loss import LabelDiceFocalLoss, RegionDiceFocalLoss


class SegmentationTrainer(AdaMSSTrainer):
    """Segmentation pretraining: Dice plus Focal loss, no deep supervision.

    deviation: the paper pairs a censored with an uncensored patient in every batch; Stage I does not use
    outcomes, so batches, patches and augmentation are nnU-Net's.
    """

    @classmethod
    def faults_of(cls, recipe: Recipe) -> Iterator[str]:
        """Extend the check of every trainer: settings that Stage I leaves to nnU-Net."""
        yield from super().faults_of(recipe)
        if recipe.network not in FUSION_STRATEGIES:
            yield f"Stage I has no network {recipe.network!r}, only {', '.join(FUSION_STRATEGIES)}"
        if recipe.schedule.batch_size is not None:
            yield "the batch size of Stage I is that of nnU-Net's plan"
        if recipe.schedule.n_iterations == ONE_PASS:
            yield "Stage I needs a number of iterations"

    @classmethod
    def build_network_architecture(
        cls,
        plans_manager: PlansManager,
        configuration_manager: ConfigurationManager,
        num_input_channels: int,
        num_output_channels: int,
        enable_deep_supervision: bool = False,
    ) -> nn.Module:
        """Build the network that the plan asks for; nnU-Net's prediction calls this too.

        Raises:
            ValueError: if AdaMSS cannot be built for this plan.
        """
        stages = stages_of(configuration_manager)
        return AdaMSS(
            num_input_channels,
            num_output_channels,
            stages.strides,
            stages.kernel_sizes,
            fusion=FUSION_STRATEGIES[cls.recipe.network],
        )

    def initialize(self) -> None:
        """Extend nnU-Net's method: set the channel of a network of one modality."""
        super().initialize()
        self._use_channel()

    def on_train_start(self) -> None:
        """Extend nnU-Net's method: set the channel again, which ``-pretrained_weights`` may have changed.

        A new training logs what the plan's CT window hides, and whether its split may not suit Stage II.
        """
        super().on_train_start()
        self._use_channel()
        if self.current_epoch == 0:
            for remark in self._remarks():
                self.print_to_log_file(remark)

    def _remarks(self) -> Iterator[str]:
        """Yield remarks on what a user may want to change before hours of training."""
        plans = self.plans_manager.plans
        if self.recipe.modality != "PET" and (
            lost := lost_by_ct_window(plans, self.configuration_name, self.dataset_json)
        ):
            yield lost
        if self.fold != "all" and (unsuited := not_split_by_events(plans["dataset_name"])):
            yield unsuited

    def _use_channel(self) -> None:
        """Set the channel that the network sees; Stage II takes it from Stage I with the weights."""
        if self.recipe.modality:
            network = self.network.module if self.is_ddp else self.network
            channel = find_channel(channel_names(self.dataset_json), self.recipe.modality)
            network.encoder.use_channel(channel)

    def configure_rotation_dummyDA_mirroring_and_inital_patch_size(self) -> tuple[Any, ...]:  # noqa: N802  nnU-Net's name
        """Extend nnU-Net's method: mirror at prediction only if the recipe does."""
        augmentation: tuple[Any, ...] = super().configure_rotation_dummyDA_mirroring_and_inital_patch_size()
        if not self.recipe.mirrors_at_prediction:
            self.inference_allowed_mirroring_axes = None
        return augmentation

    def do_split(self) -> tuple[list[str], list[str]]:
        """Extend nnU-Net's method: keep the training cases in checkpoints; continue and validate with the same only.

        Raises:
            ValueError: if the split has changed since the training began.
        """
        training, validation = super().do_split()
        if self.current_epoch == 0:
            self.my_init_kwargs.setdefault(TRAINING_CASES, sorted(map(str, training)))
        check_same_training_cases(self.my_init_kwargs, training)
        return training, validation

    def _build_loss(self) -> nn.Module:
        # deviation: the paper has a sigmoid for one tumour class; nnU-Net has a softmax for exclusive labels.
        ignore_label = self.label_manager.ignore_label
        settings = {"batch_dice": self.configuration_manager.batch_dice, "ddp": self.is_ddp}
        loss: LabelDiceFocalLoss | RegionDiceFocalLoss
        if self.label_manager.has_regions:
            loss = RegionDiceFocalLoss(ignore_label is not None, **settings)
        else:
            loss = LabelDiceFocalLoss(ignore_label, **settings)
        if self._do_i_compile():
            loss.dice = torch.compile(loss.dice)
        return loss
