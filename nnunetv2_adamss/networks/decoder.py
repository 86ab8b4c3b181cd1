"""The adaptive-focus (Ada-focus) decoder: attention before every block (Section 3.3)."""

import torch
from torch import Tensor, nn

from nnunetv2_adamss.networks.attention_gate import AttentionGate
from nnunetv2_adamss.networks.residual_block import ResidualBlock
from nnunetv2_adamss.networks.stages import Stages


class AdaFocusDecoder(nn.Module):
    """Screen the encoder's features from coarse to fine, by attention gates and residual blocks.

    The decoder serves both training stages: Stage I puts the segmentation head on its last features, Stage II
    pools the features of all its blocks.

    Args:
        stages: sizes of the network.
        encoder_channels: channels of the encoder's features, high to low resolution.
    """

    # Stage I's head, which AdaMSS puts here.
    seg_layers: nn.Conv2d | nn.Conv3d

    def __init__(self, stages: Stages, encoder_channels: list[int]) -> None:
        super().__init__()
        *skips, deepest = encoder_channels
        channels = [*stages.fusion_channels[:-1], deepest]
        coarse_to_fine = range(len(stages) - 2, -1, -1)
        self.attention_gates = nn.ModuleList(
            AttentionGate(skips[i], channels[i + 1], stages.strides[i + 1]) for i in coarse_to_fine
        )
        self.blocks = nn.ModuleList(
            ResidualBlock(skips[i] + channels[i + 1], channels[i], stages.kernel_sizes[i], stages.n_convs[i])
            for i in coarse_to_fine
        )

    def forward(self, encoder_features: list[Tensor]) -> list[Tensor]:
        """Decode the encoder's features, given from high to low resolution.

        Returns:
            The output of every decoder block, high to low resolution, ``(b, fusion_channels[i], *space)``.
        """
        *skips, coarse = encoder_features
        stage_features: list[Tensor] = []
        for gate, block, skip in zip(self.attention_gates, self.blocks, reversed(skips), strict=True):
            gated_skip, _ = gate(skip, coarse)
            upsampled = nn.functional.interpolate(coarse, size=skip.shape[2:], mode="nearest")
            # Autocast interpolates in float32; the block works in the skip's type.
            coarse = block(torch.cat([upsampled.to(skip.dtype), gated_skip], dim=1))
            stage_features.insert(0, coarse)
        return stage_features
