"""The attention gate: weights of the voxels in a decoder block's skip connection (Section 3.3)."""

from collections.abc import Sequence

import torch
from dynamic_network_architectures.building_blocks.helper import (
    get_matching_batchnorm,
    get_matching_pool_op,
)
from torch import Tensor, nn

from nnunetv2_adamss.networks.convolution import convolve, make_convolution


class _Projection(nn.Module):
    """A 1x1x1 convolution with batch normalisation."""

    def __init__(self, in_channels: int, out_channels: int, n_dimensions: int) -> None:
        super().__init__()
        self.conv = make_convolution(in_channels, out_channels, [1] * n_dimensions)
        self.norm = get_matching_batchnorm(dimension=n_dimensions)(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(convolve(x, self.conv.weight, self.conv.bias))


class AttentionGate(nn.Module):
    """Additive attention gate of Schlemper et al. (2019), where the paper places it (Section 3.3).

    Args:
        skip_channels: channels of the skip connection, and of the gate's inside.
        coarse_channels: channels of the decoder features one stage deeper.
        stride: voxels of the skip for one voxel of the coarse features, per axis.
    """

    def __init__(self, skip_channels: int, coarse_channels: int, stride: Sequence[int]) -> None:
        super().__init__()
        n_dimensions = len(stride)
        self.coarse = _Projection(coarse_channels, skip_channels, n_dimensions)
        self.skip = _Projection(skip_channels, skip_channels, n_dimensions)
        self.pool = get_matching_pool_op(dimension=n_dimensions, pool_type="avg")(tuple(stride))
        self.attention = _Projection(skip_channels, 1, n_dimensions)
        self._upsample_mode = {2: "bilinear", 3: "trilinear"}[n_dimensions]

    def forward(self, skip: Tensor, coarse: Tensor) -> tuple[Tensor, Tensor]:
        """Weight the voxels of one skip connection.

        Args:
            skip: ``(b, skip_channels, *space)``.
            coarse: ``(b, coarse_channels, *space / stride)``.

        Returns:
            The gated skip, ``(b, skip_channels, *space)``, and the attention map that Fig. 3 shows,
            ``(b, 1, *space)`` in [0, 1].
        """
        logits = self.attention((self.coarse(coarse) + self._pooled_projection(skip)).relu_())
        attention = nn.functional.interpolate(
            torch.sigmoid(logits), size=skip.shape[2:], mode=self._upsample_mode, align_corners=True
        ).to(skip.dtype)  # autocast interpolates in float32, which would double the gated skip
        return skip * attention, attention

    def _pooled_projection(self, skip: Tensor) -> Tensor:
        if self.training:
            return self.pool(self.skip(skip))
        # With running statistics the projection is affine, so averaging first gives the same values for an
        # eighth of the work at stride 2.
        return self.skip(self.pool(skip))
