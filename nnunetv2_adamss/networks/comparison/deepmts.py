"""DeepMTS (Meng et al. 2022): a U-Net that segments, and a survival network whose input is image and mask."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nnunetv2_adamss.networks.comparison.parts.cox_network import CoxHead, CoxNetwork
from nnunetv2_adamss.networks.comparison.parts.dense_net import DenseNet
from nnunetv2_adamss.networks.convolution import convolve, make_convolution
from nnunetv2_adamss.networks.masked_mean import masked_mean, share_of_image
from nnunetv2_adamss.networks.residual_block import ConvUnit, ResidualBlock
from nnunetv2_adamss.networks.stages import Stages
from nnunetv2_adamss.networks.survival_network import MultiTaskOutput, NetworkSizes

# Convolutions of the residual block of each stage, the same on the way down and up; a deeper stage has as many as the
# last.
_N_CONVS = (2, 2, 3, 3, 4)


class DeepMTS(CoxNetwork):
    """Tumour logit and log hazard from a shared encoder and a cascaded dense network.

    choice: strides and kernel sizes are the plan's, so that anisotropic images work; with the published ones it is the
    published network. The mask goes into the dense network as a probability, with its gradient.

    Args:
        n_modalities: channels of the image.
        n_intervals: time intervals of the baseline hazard.
        n_covariates: numbers beside the image; 0 for none.
        strides: pooling before each stage of the U-Net, per axis.
        kernel_sizes: of the convolutions of each stage of the U-Net, per axis.

    Raises:
        ValueError: for sizes that ``Stages`` refuses.
    """

    def __init__(
        self,
        n_modalities: int,
        n_intervals: int,
        n_covariates: int,
        strides: Sequence[Sequence[int]],
        kernel_sizes: Sequence[Sequence[int]],
    ) -> None:
        super().__init__(n_intervals)
        self.stages = Stages(strides, kernel_sizes)
        channels = self.stages.modality_channels
        n_convs = [_N_CONVS[min(i, len(_N_CONVS) - 1)] for i in range(len(self.stages))]
        self.encoder = nn.ModuleList(
            ResidualBlock(*sizes)
            for sizes in zip([n_modalities, *channels[:-1]], channels, kernel_sizes, n_convs, strict=True)
        )
        self.decoder = nn.ModuleList(
            ResidualBlock(channels[i] + channels[i + 1], channels[i], kernel_sizes[i], n_convs[i])
            for i in range(len(self.stages) - 2, -1, -1)
        )
        one = [1] * self.stages.n_dimensions
        self.seg_layers = make_convolution(channels[0], 2, one)
        self.compress = nn.ModuleList(ConvUnit(c, c // 2, one) for c in channels)
        self.dense_net = DenseNet(n_modalities + 1)
        self.head = CoxHead([sum(c // 2 for c in channels), DenseNet.n_features], n_covariates)

    def forward(self, image: Tensor, valid: Tensor, covariates: Tensor) -> MultiTaskOutput:
        """Predict log hazard ``(b, 1)`` and tumour logit; arguments as for every ``SurvivalNetwork``.

        Raises:
            ValueError: if a side of the image is not a multiple of the product of strides.
        """
        self.stages.check_image_size(image.shape[2:])
        stage_features = self._encode(image)
        tumour = self._segment(stage_features)
        image_and_mask = torch.cat([image, torch.sigmoid(tumour).to(image.dtype)], dim=1)
        return MultiTaskOutput(
            survival=self.head(
                [self._pool(stage_features, valid), self.dense_net(image_and_mask, valid)], covariates
            ),
            segmentation=tumour,
        )

    def _encode(self, x: Tensor) -> list[Tensor]:
        """Features of every stage, high to low resolution."""
        stage_features = []
        for block, stride in zip(self.encoder, self.stages.strides, strict=True):
            x = block(F.max_pool3d(x, tuple(stride)))
            stage_features.append(x)
        return stage_features

    def _segment(self, stage_features: list[Tensor]) -> Tensor:
        """Logit of tumour, ``(b, 1, *space)``: the difference of the two channels of the published softmax."""
        *skips, x = stage_features
        for block, skip in zip(self.decoder, reversed(skips), strict=True):
            upsampled = F.interpolate(x, size=skip.shape[2:], mode="nearest")
            # Autocast interpolates in float32; the block works in the skip's type.
            x = block(torch.cat([upsampled.to(skip.dtype), skip], dim=1))
        background, tumour = convolve(x, self.seg_layers.weight, self.seg_layers.bias).split(1, dim=1)
        return tumour - background

    def _pool(self, stage_features: list[Tensor], valid: Tensor) -> Tensor:
        pooled = [
            masked_mean(compress(features), share_of_image(valid, features.shape[2:]))
            for compress, features in zip(self.compress, stage_features, strict=True)
        ]
        return torch.cat(pooled, dim=1)


def build(sizes: NetworkSizes) -> DeepMTS:
    """Build the network that checkpoints call ``deepmts``."""
    return DeepMTS(
        sizes.n_modalities, sizes.n_intervals, sizes.n_covariates, sizes.strides, sizes.kernel_sizes
    )
