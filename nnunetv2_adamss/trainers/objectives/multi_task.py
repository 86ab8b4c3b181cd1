"""The objective of a network that learns survival and segmentation at the same time."""

from typing import cast

import torch
from nnunetv2.training.loss.dice import MemoryEfficientSoftDiceLoss
from torch import Tensor

from nnunetv2_adamss.networks.survival_network import MultiTaskOutput
from nnunetv2_adamss.survival.training_data.case_data import Sample, SurvivalTargets
from nnunetv2_adamss.trainers.checked_network import checked_network
from nnunetv2_adamss.trainers.dice_focal_loss import RegionDiceFocalLoss
from nnunetv2_adamss.trainers.objectives.objective import Objective
from nnunetv2_adamss.trainers.survival_fold import SurvivalFoldTrainer
from nnunetv2_adamss.trainers.validation_masks import write_validation_masks


def dice_loss(logits: Tensor, tumour: Tensor, *, batch_dice: bool, ddp: bool) -> Tensor:
    """Negative soft Dice of a tumour logit."""
    soft_dice = MemoryEfficientSoftDiceLoss(torch.sigmoid, batch_dice=batch_dice, smooth=1e-5, ddp=ddp)
    loss: Tensor = soft_dice(logits, tumour[:, :1], loss_mask=tumour[:, 1:] == 0)
    return loss


def dice_focal_loss(logits: Tensor, tumour: Tensor, *, batch_dice: bool, ddp: bool) -> Tensor:
    """Dice plus Focal loss of a tumour logit, with Stage I's Focal weights."""
    loss: Tensor = RegionDiceFocalLoss(True, batch_dice=batch_dice, ddp=ddp)(logits, tumour)
    return loss


# By the name that recipes have.
SEGMENTATION_LOSSES = {"dice": dice_loss, "dice_focal": dice_focal_loss}


class MultiTask(Objective):
    """Weighted sum of a survival loss and a segmentation loss on the same crops.

    Args:
        trainer: as for every objective.
        survival: the survival loss, with its hooks.
    """

    # The Dice is that of the whole batch.
    needs_even_shares = True

    def __init__(self, trainer: SurvivalFoldTrainer, survival: Objective) -> None:
        super().__init__(trainer)
        self.survival = survival
        self.network_kind = survival.network_kind

    def training_loss(self, output: Tensor | MultiTaskOutput, batch: Sample) -> Tensor:
        """Compute the weighted sum of both losses, a scalar."""
        output = checked_network(output, MultiTaskOutput)
        segmentation = self.segmentation_loss(output.segmentation, self.trainer.to_device(batch["tumour"]))
        survival = self.survival.training_loss(output, batch)
        recipe = self.trainer.recipe
        return recipe.survival_weight * survival + recipe.segmentation_weight * segmentation

    def segmentation_loss(self, logits: Tensor, tumour: Tensor) -> Tensor:
        """Compute the loss of the tumour logit, a scalar.

        Args:
            logits: ``(b, 1, *space)``.
            tumour: ``(b, 2, *space)`` of 0 and 1: tumour voxels, and ignored voxels.
        """
        trainer = self.trainer
        loss = SEGMENTATION_LOSSES[cast(str, trainer.recipe.segmentation_loss)]
        return loss(logits, tumour, batch_dice=trainer.configuration_manager.batch_dice, ddp=trainer.is_ddp)

    def survival_loss(self, outputs: Tensor, targets: SurvivalTargets) -> Tensor:
        """Compute the loss of survival alone, which the validation reports."""
        return self.survival.survival_loss(outputs, targets)

    def penalty(self) -> Tensor:
        """Compute the penalty of the survival loss."""
        return self.survival.penalty()

    def start_epoch(self) -> None:
        """Call the hook of the survival loss."""
        self.survival.start_epoch()

    def after_step(self, batch: Sample) -> None:
        """Call the hook of the survival loss."""
        self.survival.after_step(batch)

    def end_epoch(self) -> None:
        """Call the hook of the survival loss."""
        self.survival.end_epoch()

    def write_validation(self) -> None:
        """Write the masks of the validation cases by the last epoch."""
        # Before the summary, which is written last to mark a complete fold.
        self.trainer.load_epoch("last")
        write_validation_masks(self.trainer)
