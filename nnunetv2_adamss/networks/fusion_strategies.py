"""The fusion strategies that the paper compares with its own (Section 4.4, Table III), as encoders.

All are made of the blocks of the Ada-fusion encoder, and the decoder behind them is the same.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor, nn

from nnunetv2_adamss.networks.encoder import (
    AdaFusionEncoder,
    BranchesEncoder,
    Encoder,
    FusingEncoder,
    branch,
    encode_each,
)
from nnunetv2_adamss.networks.residual_block import ConvUnit
from nnunetv2_adamss.networks.stages import Stages

# The encoder's class, called with the number of modalities and the sizes of the network.
FusionStrategy = Callable[[int, Stages], Encoder]


class EarlyFusionEncoder(Encoder):
    """The fusion branch alone: modalities are concatenated once, as channels of the image.

    Args:
        n_modalities: channels of the image.
        stages: sizes of the network.
    """

    def __init__(self, n_modalities: int, stages: Stages) -> None:
        super().__init__(stages, stages.fusion_channels)
        self.fusion_branch = branch(n_modalities, stages.fusion_channels, stages)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Encode the image ``(b, n_modalities, *space)``; features as those of ``AdaFusionEncoder``."""
        features = image
        stage_features = []
        for pool, block in zip(self.pools, self.fusion_branch, strict=True):
            features = block(pool(features))
            stage_features.append(features)
        return stage_features


class SingleModalityEncoder(EarlyFusionEncoder):
    """One branch, which sees one channel of the image.

    The channel's index is stored with the weights, since nnU-Net's prediction builds networks without the channels'
    names. choice: the branch is as wide as the fusion branch; the paper names no width.

    Args:
        n_modalities: channels of the image; all but one are ignored.
        stages: sizes of the network.
    """

    # Names the buffer, so that weights of one modality are not taken for those of another.
    modality: str

    def __init__(self, n_modalities: int, stages: Stages) -> None:
        super().__init__(1, stages)
        self._buffer = f"{self.modality.lower()}_channel"
        self.register_buffer(self._buffer, torch.zeros(1, dtype=torch.long))

    def use_channel(self, channel: int) -> None:
        """Set the channel of the image that the encoder sees; it is the first by default."""
        self.get_buffer(self._buffer).fill_(channel)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Encode one channel of ``(b, n_modalities, *space)``; features as those of ``AdaFusionEncoder``."""
        channel = image.index_select(1, self.get_buffer(self._buffer))
        # One channel is contiguous in any memory format; only a copy has the image's.
        return super().forward(torch.empty_like(image[:, :1]).copy_(channel))


class PETEncoder(SingleModalityEncoder):
    """An encoder that sees PET only."""

    modality = "PET"


class CTEncoder(SingleModalityEncoder):
    """An encoder that sees CT only."""

    modality = "CT"


class LateFusionEncoder(BranchesEncoder):
    """A branch for each modality, whose features are fused in the decoder.

    choice: the features of a stage are concatenated for the decoder. For two modalities and up to five stages they
    have as many channels as a fusion branch would have; beyond that the skips are wider.

    Args:
        n_modalities: channels of the image; each gets a branch of its own.
        stages: sizes of the network.
    """

    def __init__(self, n_modalities: int, stages: Stages) -> None:
        super().__init__(
            n_modalities, stages, [n_modalities * channels for channels in stages.modality_channels]
        )

    def forward(self, image: Tensor) -> list[Tensor]:
        """Encode the image ``(b, n_modalities, *space)``.

        Returns:
            The concatenated features of every stage, high to low resolution, each
            ``(b, n_modalities * modality_channels[i], *space / total_stride[i])``.
        """
        modality_features = list(image.split(1, dim=1))
        stage_features = []
        for pool, *modality_blocks in zip(self.pools, *self.modality_branches, strict=True):
            modality_features = encode_each(pool, modality_blocks, modality_features)
            stage_features.append(torch.cat(modality_features, dim=1))
        return stage_features


class IntermediateFusionEncoder(FusingEncoder):
    """The branches of the Ada-fusion encoder without its gates: ``F_pc`` and ``F_fuse`` are added.

    Args:
        n_modalities: channels of the image; each gets a branch of its own.
        stages: sizes of the network.
    """

    def __init__(self, n_modalities: int, stages: Stages) -> None:
        super().__init__(n_modalities, stages)
        self.combine_modalities = nn.ModuleList(
            ConvUnit(n_modalities * modality_channels, fusion_channels, kernel_size)
            for modality_channels, fusion_channels, kernel_size in zip(
                stages.modality_channels, stages.fusion_channels, stages.kernel_sizes, strict=True
            )
        )

    def fuse(self, stage: int, fusion_features: Tensor, modality_features: list[Tensor]) -> Tensor:
        """The sum of ``F_fuse`` and ``F_pc``."""
        combined: Tensor = self.combine_modalities[stage](torch.cat(modality_features, dim=1))
        return fusion_features + combined


# By the name of their network in trainers and checkpoints; the first is the paper's own.
FUSION_STRATEGIES: Mapping[str, FusionStrategy] = MappingProxyType(
    {
        "adamss": AdaFusionEncoder,
        "adamss_pet_only": PETEncoder,
        "adamss_ct_only": CTEncoder,
        "adamss_early_fusion": EarlyFusionEncoder,
        "adamss_late_fusion": LateFusionEncoder,
        "adamss_intermediate_fusion": IntermediateFusionEncoder,
    }
)
