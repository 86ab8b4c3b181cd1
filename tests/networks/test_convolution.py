"""Convolution without gradients takes another kernel and must give the same sums."""

import pytest
import torch
from torch import nn

from nnunetv2_adamss.networks import convolution
from nnunetv2_adamss.networks.convolution import convolve


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last_3d])
@pytest.mark.parametrize("batch_size", [1, 2])
@pytest.mark.parametrize("kernel_size", [1, 3])
def test_inference_gives_the_sums_of_float64(
    batch_size: int, kernel_size: int, memory_format: torch.memory_format
) -> None:
    torch.manual_seed(0)
    conv = nn.Conv3d(3, 5, kernel_size, padding=kernel_size // 2)
    x = torch.randn(batch_size, 3, 6, 7, 8).contiguous(memory_format=memory_format)
    with torch.no_grad():
        found = convolve(x, conv.weight, conv.bias)
        expected = conv.double()(x.double())
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.skipif(not convolution._X86, reason="oneDNN is asked for by name on x86 only")
def test_without_gradients_a_small_tile_goes_to_onednn_and_with_them_torch_chooses() -> None:
    conv, x = nn.Conv3d(3, 5, 3, padding=1), torch.randn(1, 3, 6, 7, 8)

    def runs_onednn() -> bool:
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
            convolve(x, conv.weight, conv.bias)
        return "aten::mkldnn_convolution" in {event.key for event in profile.key_averages()}

    assert not runs_onednn()
    with torch.no_grad():
        assert runs_onednn()


def test_two_dimensions_work_too() -> None:
    torch.manual_seed(0)
    conv = nn.Conv2d(2, 3, 3, padding=1)
    x = torch.randn(1, 2, 5, 6)
    with torch.no_grad():
        torch.testing.assert_close(
            convolve(x, conv.weight, conv.bias), nn.functional.conv2d(x, conv.weight, conv.bias, padding=1)
        )


def test_gradients_flow_where_they_are_wanted() -> None:
    torch.manual_seed(0)
    conv = nn.Conv3d(1, 2, 3, padding=1).double()
    x = torch.randn(1, 1, 3, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda image: convolve(image, conv.weight, conv.bias), x)
