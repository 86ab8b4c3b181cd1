"""The network's convolutions: all have stride 1, same padding and a bias."""

import platform
from collections.abc import Sequence

import torch
from dynamic_network_architectures.building_blocks.helper import convert_dim_to_conv_op
from torch import Tensor, nn
from torch.nn import functional as F

# oneDNN's convolutions are tuned for x86; elsewhere PyTorch knows better which kernel is fast.
_X86 = platform.machine().lower() in ("x86_64", "amd64")


def make_convolution(
    in_channels: int, out_channels: int, kernel_size: Sequence[int]
) -> nn.Conv2d | nn.Conv3d:
    """A 2D or 3D convolution, one kernel size an axis, all odd."""
    conv_op = convert_dim_to_conv_op(len(kernel_size))
    padding = tuple(k // 2 for k in kernel_size)
    conv = conv_op(in_channels, out_channels, tuple(kernel_size), padding=padding)
    # choice: the paper gives no initialisation of the weights; this is He initialisation as nnU-Net uses it.
    nn.init.kaiming_normal_(conv.weight, a=1e-2)
    nn.init.zeros_(conv.bias)
    return conv


def convolve(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Convolve ``(b, in_channels, *space)`` with stride 1 and same padding.

    For a batch of one and a small tile, which is what nnU-Net's sliding window hands in, PyTorch picks a
    native CPU kernel that is several times slower than oneDNN's (docs/measurements.md). Without gradients,
    oneDNN can be asked for by name; it computes the same sums. A compiler chooses for itself.
    """
    padding = tuple(k // 2 for k in weight.shape[2:])
    if not torch.compiler.is_compiling() and not torch.is_grad_enabled() and _onednn_runs(x, weight):
        ones = [1] * len(padding)
        return torch.ops.aten.mkldnn_convolution(x, weight, bias, padding, ones, ones, 1)
    conv = F.conv3d if len(padding) == 3 else F.conv2d
    return conv(x, weight, bias, padding=padding)


def _onednn_runs(x: Tensor, weight: Tensor) -> bool:
    return bool(
        _X86
        and x.device.type == "cpu"
        and x.dtype == weight.dtype == torch.float32
        and torch.backends.mkldnn.is_available()
        and torch.backends.mkldnn.enabled
        and not torch.is_autocast_enabled("cpu")
    )
