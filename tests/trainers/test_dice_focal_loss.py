"""The Stage-I loss, against torchvision's and MONAI's focal losses, nnU-Net's Dice and hand-computed cases."""

import math
from typing import cast

import pytest
import torch
from monai.losses import FocalLoss
from nnunetv2.training.loss.dice import MemoryEfficientSoftDiceLoss
from nnunetv2.utilities.helpers import softmax_helper_dim1
from torch import Tensor
from torchvision.ops import sigmoid_focal_loss

from nnunetv2_adamss.trainers.dice_focal_loss import LabelDiceFocalLoss, RegionDiceFocalLoss, focal_loss


def focal_part(loss: LabelDiceFocalLoss | RegionDiceFocalLoss, logits: Tensor, target: Tensor) -> Tensor:
    target, is_valid = loss._split_ignored(target)
    return cast(Tensor, loss(logits, target) - loss.dice(logits, target, loss_mask=is_valid))


def label_loss(ignore_label: int | None = None) -> LabelDiceFocalLoss:
    return LabelDiceFocalLoss(ignore_label, batch_dice=False, ddp=False)


def region_loss(has_ignore_label: bool = False) -> RegionDiceFocalLoss:
    return RegionDiceFocalLoss(has_ignore_label, batch_dice=False, ddp=False)


def test_one_voxel_computed_by_hand() -> None:
    # p_t = 0.8 for a foreground voxel: 0.25 * 0.2^2 * -log 0.8.
    expected = 0.25 * 0.04 * -math.log(0.8)
    found = focal_loss(torch.tensor([[[math.log(0.8)]]]), torch.tensor([[[True]]]))
    assert found.item() == pytest.approx(expected, rel=1e-6)


def test_one_foreground_label_equals_torchvisions_sigmoid_focal_loss() -> None:
    torch.manual_seed(0)
    foreground_logit = torch.randn(2, 1, 4, 4, 4) * 3
    logits = torch.cat([torch.zeros_like(foreground_logit), foreground_logit], dim=1)
    target = torch.randint(0, 2, (2, 1, 4, 4, 4)).float()
    expected = sigmoid_focal_loss(foreground_logit, target, alpha=0.25, gamma=2, reduction="mean")
    torch.testing.assert_close(focal_part(label_loss(), logits, target), expected)


def test_regions_equal_torchvisions_sigmoid_focal_loss() -> None:
    torch.manual_seed(0)
    logits = torch.randn(2, 3, 4, 4, 4) * 3
    target = torch.randint(0, 2, (2, 3, 4, 4, 4))
    expected = sigmoid_focal_loss(logits, target.float(), alpha=0.25, gamma=2, reduction="mean")
    torch.testing.assert_close(focal_part(region_loss(), logits, target), expected)


def test_the_loss_of_several_labels_is_nnunets_dice_plus_monais_focal_loss() -> None:
    torch.manual_seed(0)
    logits = torch.randn(2, 3, 4, 4, 4)
    target = torch.randint(0, 3, (2, 1, 4, 4, 4))
    dice = MemoryEfficientSoftDiceLoss(
        softmax_helper_dim1, batch_dice=False, do_bg=False, smooth=1e-5, ddp=False
    )
    focal_of_classes = FocalLoss(to_onehot_y=True, use_softmax=True, gamma=2, alpha=0.25, reduction="none")(
        logits, target
    )
    focal = focal_of_classes.sum(dim=1).mean()
    torch.testing.assert_close(label_loss()(logits, target), dice(logits, target) + focal)


def test_ignored_voxels_change_neither_the_loss_nor_the_gradient() -> None:
    torch.manual_seed(0)
    target = torch.randint(0, 2, (2, 1, 4, 4, 4)).float()
    target[:, :, :2] = 2
    logits = torch.randn(2, 2, 4, 4, 4, requires_grad=True)
    elsewhere = logits.detach().clone()
    elsewhere[:, :, :2] += 5

    loss = label_loss(ignore_label=2)
    torch.testing.assert_close(loss(logits, target), loss(elsewhere, target))
    torch.testing.assert_close(loss(logits, target), label_loss()(logits[:, :, 2:], target[:, :, 2:]))
    loss(logits, target).backward()
    assert logits.grad is not None
    assert torch.all(logits.grad[:, :, :2] == 0)


def test_ignored_voxels_of_regions_are_marked_by_the_last_channel() -> None:
    torch.manual_seed(0)
    regions = torch.randint(0, 2, (2, 2, 4, 4, 4)).bool()
    ignored = torch.zeros(2, 1, 4, 4, 4, dtype=torch.bool)
    ignored[:, :, :2] = True
    logits = torch.randn(2, 2, 4, 4, 4)
    found = region_loss(has_ignore_label=True)(logits, torch.cat([regions, ignored], dim=1))
    torch.testing.assert_close(found, region_loss()(logits[:, :, 2:], regions[:, :, 2:]))


def test_a_patch_of_ignored_voxels_alone_gives_a_finite_loss() -> None:
    target = torch.full((1, 1, 4, 4, 4), 2.0)
    assert torch.isfinite(label_loss(ignore_label=2)(torch.randn(1, 2, 4, 4, 4), target))


@pytest.mark.parametrize("scale", [1.0, 100.0, 6e4])
def test_float16_logits_give_a_finite_loss_and_gradient(scale: float) -> None:
    torch.manual_seed(0)
    logits = (torch.randn(2, 2, 4, 4, 4).clamp(-1, 1) * scale).half().requires_grad_()
    for loss, target in (
        (label_loss(), torch.randint(0, 2, (2, 1, 4, 4, 4))),
        (region_loss(), torch.randint(0, 2, (2, 2, 4, 4, 4))),
    ):
        value = loss(logits, target)
        (gradient,) = torch.autograd.grad(value, logits)
        assert torch.isfinite(value)
        assert torch.isfinite(gradient).all()


def test_gradients_are_right_in_float64() -> None:
    torch.manual_seed(0)
    log_p_true = -torch.rand(1, 2, 3, 3, dtype=torch.float64) - 0.1
    is_foreground = torch.randint(0, 2, (1, 2, 3, 3)).bool()
    assert torch.autograd.gradcheck(
        lambda log_p: focal_loss(log_p, is_foreground), log_p_true.requires_grad_()
    )
