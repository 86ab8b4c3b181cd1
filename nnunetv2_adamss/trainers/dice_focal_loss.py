"""The Stage-I loss: Dice plus Focal (Section 3.4).

Not MONAI's FocalLoss, which the tests compare with: it takes longer to import than torch, and needs one-hot targets.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from nnunetv2.training.loss.dice import MemoryEfficientSoftDiceLoss
from nnunetv2.utilities.helpers import softmax_helper_dim1
from torch import Tensor, nn

# choice: the paper names the Focal loss without its parameters; these are the defaults of Lin et al. (2017).
FOCUSING = 2.0
FOREGROUND_WEIGHT = 0.25
BACKGROUND_WEIGHT = 0.75


class _DiceFocalLoss(nn.Module, ABC):
    """Sum of nnU-Net's soft Dice loss and the Focal loss; subclasses define the format of targets."""

    def __init__(self, dice: MemoryEfficientSoftDiceLoss) -> None:
        super().__init__()
        self.dice: Callable[..., Tensor] = dice

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Compute the loss of logits ``(b, n_classes, *space)``, a scalar."""
        target, is_valid = self._split_ignored(target)
        # In float32: float16 is too coarse for the logarithm of a probability near 1.
        log_p_true, is_foreground = self._log_p_true(logits.float(), target)
        focal = focal_loss(log_p_true, is_foreground, is_valid)
        return self.dice(logits, target, loss_mask=is_valid) + focal

    @abstractmethod
    def _split_ignored(self, target: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the target without ignored voxels, and the valid voxels, ``(b, 1, *space)``, None for all."""

    @abstractmethod
    def _log_p_true(self, logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Return the log probability of the true class at each voxel, and whether it is foreground."""


class LabelDiceFocalLoss(_DiceFocalLoss):
    """Loss for exclusive labels: softmax, targets ``(b, 1, *space)`` of label values, 0 is background.

    Args:
        ignore_label: voxels of this value are ignored; None if there is none.
        batch_dice: one Dice over the batch instead of one a sample, by the plan.
        ddp: gather the Dice over several GPUs.
    """

    def __init__(self, ignore_label: int | None, batch_dice: bool, ddp: bool) -> None:
        super().__init__(
            MemoryEfficientSoftDiceLoss(
                softmax_helper_dim1, batch_dice=batch_dice, do_bg=False, smooth=1e-5, ddp=ddp
            )
        )
        self.ignore_label = ignore_label

    def _split_ignored(self, target: Tensor) -> tuple[Tensor, Tensor | None]:
        if self.ignore_label is None:
            return target, None
        is_valid = target != self.ignore_label
        return torch.where(is_valid, target, 0), is_valid

    def _log_p_true(self, logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        target = target.long()
        return torch.log_softmax(logits, dim=1).gather(1, target), target > 0


class RegionDiceFocalLoss(_DiceFocalLoss):
    """Loss for overlapping regions: sigmoid, targets ``(b, n_regions, *space)`` of 0 and 1.

    Args:
        has_ignore_label: whether the target's last channel marks ignored voxels, as nnU-Net appends it.
        batch_dice: one Dice over the batch instead of one a sample, by the plan.
        ddp: gather the Dice over several GPUs.
    """

    def __init__(self, has_ignore_label: bool, batch_dice: bool, ddp: bool) -> None:
        super().__init__(
            MemoryEfficientSoftDiceLoss(
                torch.sigmoid, batch_dice=batch_dice, do_bg=True, smooth=1e-5, ddp=ddp
            )
        )
        self.has_ignore_label = has_ignore_label

    def _split_ignored(self, target: Tensor) -> tuple[Tensor, Tensor | None]:
        if not self.has_ignore_label:
            return target, None
        return target[:, :-1], ~target[:, -1:].bool()

    def _log_p_true(self, logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        is_foreground = target.bool()
        return nn.functional.logsigmoid(torch.where(is_foreground, logits, -logits)), is_foreground


def focal_loss(log_p_true: Tensor, is_foreground: Tensor, is_valid: Tensor | None = None) -> Tensor:
    """Focal loss of Lin et al. (2017), mean of ``-a_t (1 - p_t)^2 log p_t`` over valid voxels.

    Args:
        log_p_true: ``log p_t``, at most 0, ``(b, c, *space)``.
        is_foreground: where the true class is foreground, of the same shape.
        is_valid: ``(b, 1, *space)``, False at ignored voxels; None where all count.

    Returns:
        A scalar, 0 if no voxel is valid.
    """
    weight = torch.where(is_foreground, FOREGROUND_WEIGHT, BACKGROUND_WEIGHT)
    voxel_loss = -weight * (1 - log_p_true.exp()) ** FOCUSING * log_p_true
    if is_valid is None:
        return voxel_loss.mean()
    n_valid = is_valid.sum() * voxel_loss.shape[1]
    return (voxel_loss * is_valid).sum() / n_valid.clamp_min(1)
