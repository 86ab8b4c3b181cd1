"""The fusion gate: learned weights of the sources that a stage fuses (Section 3.2)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nnunetv2_adamss.networks.convolution import convolve, make_convolution
from nnunetv2_adamss.networks.residual_block import ConvUnit


class FusionGate(nn.Module):
    """Weigh the single-modality features against the fusion branch's, per channel and voxel (Section 3.2).

    ``F_pc`` is a convolution of the concatenated single-modality features; two 1x1x1 convolutions on
    ``concat(F_fuse, F_pc)`` give the logits of a two-way softmax; the output is
    ``w_pc * F_pc + w_fuse * F_fuse``.

    Args:
        modality_channels: channels of the single-modality features, one number for each modality.
        channels: channels of the fusion branch at this stage, and of the output.
        kernel_size: of the convolution that combines the modalities, one number an axis.
    """

    def __init__(self, modality_channels: Sequence[int], channels: int, kernel_size: Sequence[int]) -> None:
        super().__init__()
        self.combine_modalities = ConvUnit(sum(modality_channels), channels, kernel_size)
        ones = [1] * len(kernel_size)
        self.logits_pc = make_convolution(2 * channels, channels, ones)
        self.logits_fuse = make_convolution(2 * channels, channels, ones)
        # Every weight is exactly 0.5 where training starts (Section 6, on Table IV).
        for parameter in (*self.logits_pc.parameters(), *self.logits_fuse.parameters()):
            nn.init.zeros_(parameter)

    def forward(self, fuse_features: Tensor, modality_features: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Fuse the features of one stage.

        Args:
            fuse_features: ``F_fuse``, ``(b, channels, *space)``.
            modality_features: one ``(b, modality_channels[m], *space)`` for each modality.

        Returns:
            The fused features and ``w_fuse`` in [0, 1], both ``(b, channels, *space)``; ``w_pc`` is
            ``1 - w_fuse``.
        """
        pc_features = self.combine_modalities(torch.cat(list(modality_features), dim=1))
        w_fuse = torch.sigmoid(self._logit_difference(torch.cat([fuse_features, pc_features], dim=1)))
        return torch.lerp(pc_features, fuse_features, w_fuse), w_fuse

    def _logit_difference(self, x: Tensor) -> Tensor:
        # A two-way softmax is a sigmoid of the difference of its logits. Both are linear in the same input,
        # so the difference of two convolutions is one convolution: half the work, the same gradients.
        weight = self.logits_fuse.weight - self.logits_pc.weight
        bias = self.logits_fuse.bias - self.logits_pc.bias  # type: ignore[operator]  # neither is None
        return convolve(x, weight, bias)
