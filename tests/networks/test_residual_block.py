"""The residual block, against its recurrence written out with torch's functions."""

import torch
from torch import Tensor
from torch.nn import functional as F

from nnunetv2_adamss.networks.residual_block import ConvUnit, ResidualBlock


def unit_by_hand(unit: ConvUnit, x: Tensor) -> Tensor:
    convolved = F.conv3d(x, unit.conv.weight, unit.conv.bias, padding="same")
    mean = convolved.mean((0, 2, 3, 4), keepdim=True)
    variance = convolved.var((0, 2, 3, 4), correction=0, keepdim=True)
    return F.relu((convolved - mean) / (variance + 1e-5).sqrt())


def test_a_unit_is_convolution_batch_normalisation_and_relu() -> None:
    torch.manual_seed(0)
    unit = ConvUnit(2, 4, [1, 3, 5])
    x = torch.randn(2, 2, 6, 7, 8)
    torch.testing.assert_close(unit(x), unit_by_hand(unit, x))


def test_a_block_adds_a_projection_first_and_its_own_input_after_without_a_final_activation() -> None:
    torch.manual_seed(0)
    block = ResidualBlock(2, 4, [3, 3, 3], n_convs=3)
    x = torch.randn(2, 2, 6, 6, 6)

    expected = unit_by_hand(block.units[0], x) + unit_by_hand(block.shortcut, x)
    for unit in block.units[1:]:
        expected = expected + unit_by_hand(unit, expected)

    torch.testing.assert_close(block(x), expected)


def test_gradients_of_a_block_are_right_in_float64() -> None:
    torch.manual_seed(0)
    block = ResidualBlock(1, 2, [3, 3], n_convs=2).double()
    x = torch.randn(2, 1, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(block, x)
