"""The densely connected survival network of DeepMTS (Meng et al. 2022)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nnunetv2_adamss.networks.comparison.parts.small_inputs import pad_to_at_least, pool_within_image
from nnunetv2_adamss.networks.masked_mean import masked_mean, share_of_image

_FIRST_CHANNELS = 24
_GROWTH = 16
_BOTTLENECK = 64
_DROPOUT = 0.05
# Layers of each dense block, and channels of the transition after it.
_BLOCKS = ((4, 16), (8, 32), (16, 64))


class DenseNet(nn.Module):
    """Three dense blocks, each with a transition, whose outputs are pooled to features.

    Args:
        in_channels: of the image.
    """

    n_features = sum(channels for _, channels in _BLOCKS)

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.first = nn.Conv3d(in_channels, _FIRST_CHANNELS, kernel_size=3, stride=2)
        self.dropout = nn.Dropout(_DROPOUT)
        self.blocks, self.transitions = nn.ModuleList(), nn.ModuleList()
        channels = _FIRST_CHANNELS
        for n_layers, out_channels in _BLOCKS:
            self.blocks.append(nn.Sequential(*(_DenseLayer(channels + i * _GROWTH) for i in range(n_layers))))
            self.transitions.append(_Transition(channels + n_layers * _GROWTH, out_channels))
            channels = out_channels

    def forward(self, image: Tensor, valid: Tensor) -> Tensor:
        """Features ``(b, n_features)`` of ``(b, in_channels, *space)``, pooled where ``(b, 1, *space)`` is 1."""
        smallest = self.first.kernel_size
        x = self.dropout(self.first(pad_to_at_least(image, smallest)))
        valid = pad_to_at_least(valid, smallest)
        x = pool_within_image(F.max_pool3d, x, 3)
        pooled = []
        for block, transition in zip(self.blocks, self.transitions, strict=True):
            x = transition(block(x))
            pooled.append(masked_mean(x, share_of_image(valid, x.shape[2:])))
        return torch.cat(pooled, dim=1)


class _DenseLayer(nn.Sequential):
    """BN-ReLU-conv1-dropout-BN-ReLU-conv3-dropout, whose output is appended to its input."""

    def __init__(self, in_channels: int) -> None:
        super().__init__(
            nn.BatchNorm3d(in_channels),
            nn.ReLU(),
            nn.Conv3d(in_channels, _BOTTLENECK, kernel_size=1),
            nn.Dropout(_DROPOUT),
            nn.BatchNorm3d(_BOTTLENECK),
            nn.ReLU(inplace=True),
            nn.Conv3d(_BOTTLENECK, _GROWTH, kernel_size=3, padding=1),
            nn.Dropout(_DROPOUT),
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, super().forward(x)], dim=1)


class _Transition(nn.Sequential):
    """BN-ReLU-conv1-dropout, followed by average pooling."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(
            nn.BatchNorm3d(in_channels),
            nn.ReLU(),
            nn.Conv3d(in_channels, out_channels, kernel_size=1),
            nn.Dropout(_DROPOUT),
        )

    def forward(self, x: Tensor) -> Tensor:
        return pool_within_image(F.avg_pool3d, super().forward(x), 2)
