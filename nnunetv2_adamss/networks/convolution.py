"""One call for every convolution, so that CPU inference uses the fast kernel whatever the tile's size."""

import platform

import torch
from torch import Tensor, nn

_X86 = platform.machine().lower() in ("x86_64", "amd64")


def convolve(conv: nn.Conv2d | nn.Conv3d, x: Tensor) -> Tensor:
    """Apply ``conv`` to ``x`` of shape ``(b, in_channels, *space)``.

    For a batch of one and a small tile, which is what nnU-Net's sliding window hands in, PyTorch picks a
    native CPU kernel that is about ten times slower than oneDNN's (``benchmarks/network_step.py``). Without
    gradients, oneDNN can be asked for by name; it computes the same sums. A compiler chooses for itself.
    """
    if torch.compiler.is_compiling() or torch.is_grad_enabled() or not _onednn_runs(x, conv.weight):
        return conv(x)
    return torch.ops.aten.mkldnn_convolution(
        x, conv.weight, conv.bias, conv.padding, conv.stride, conv.dilation, conv.groups
    )


def _onednn_runs(x: Tensor, weight: Tensor) -> bool:
    return bool(
        _X86
        and x.device.type == "cpu"
        and x.dtype == weight.dtype == torch.float32
        and torch.backends.mkldnn.is_available()
        and torch.backends.mkldnn.enabled
        and not torch.is_autocast_enabled("cpu")
    )
