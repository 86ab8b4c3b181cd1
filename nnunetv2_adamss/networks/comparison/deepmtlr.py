"""The network of DeepMTLR-CoxPH (Saeed et al. 2022, HECKTOR 2021)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nnunetv2_adamss.networks.comparison.parts.mtlr_network import MTLRHead, MTLRNetwork
from nnunetv2_adamss.networks.comparison.parts.small_inputs import pad_to_at_least, pool_within_image
from nnunetv2_adamss.networks.masked_mean import masked_mean, share_of_image
from nnunetv2_adamss.networks.survival_network import NetworkSizes

# Channels and kernel sizes of the convolutions; the maps are pooled after each pair.
_CHANNELS = (32, 64, 128, 256)
_KERNEL_SIZES = (3, 5, 3, 5)
_HIDDEN = (512, 512)
# The smallest image of which the unpadded convolutions leave a voxel: 20 - 2 - 4 = 14, pooled 7, 7 - 2 - 4 = 1.
_SMALLEST = (20, 20, 20)


class DeepMTLR(MTLRNetwork):
    """Four convolutions on the average of the modalities, and multi-task logistic regression.

    Args:
        n_intervals: time intervals.
        n_covariates: numbers beside the image; 0 for none.
    """

    def __init__(self, n_intervals: int, n_covariates: int) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Sequential(nn.Conv3d(n_in, n_out, kernel_size), nn.BatchNorm3d(n_out), nn.ReLU(inplace=True))
            for n_in, n_out, kernel_size in zip((1, *_CHANNELS[:-1]), _CHANNELS, _KERNEL_SIZES, strict=True)
        )
        self.head = MTLRHead(_CHANNELS[-1] + n_covariates, _HIDDEN, n_intervals)

    def forward(self, image: Tensor, valid: Tensor, covariates: Tensor) -> Tensor:
        """Predict outputs ``(b, n_intervals)``; arguments as for every ``SurvivalNetwork``."""
        x = pad_to_at_least(image.mean(dim=1, keepdim=True), _SMALLEST)
        for i, convolution in enumerate(self.convolutions):
            x = convolution(x)
            if i % 2:
                x = pool_within_image(F.max_pool3d, x, 2)
        share = share_of_image(pad_to_at_least(valid, _SMALLEST), x.shape[2:])
        return self.head(torch.cat([masked_mean(x, share), covariates], dim=1))


def build(sizes: NetworkSizes) -> DeepMTLR:
    """Build the network that checkpoints call ``deepmtlr``."""
    return DeepMTLR(sizes.n_intervals, sizes.n_covariates)
