"""The adaptive-fusion (Ada-fusion) encoder: one branch a modality and one that fuses them (Section 3.2)."""

from abc import abstractmethod
from collections.abc import Sequence

from dynamic_network_architectures.building_blocks.helper import get_matching_pool_op
from torch import Tensor, nn

from nnunetv2_adamss.networks.fusion_gate import FusionGate
from nnunetv2_adamss.networks.residual_block import ResidualBlock
from nnunetv2_adamss.networks.stages import Stages


class Encoder(nn.Module):
    """Base class of the encoders of all fusion strategies.

    Args:
        stages: sizes of the network.
        out_channels: channels of the features of every stage, high to low resolution.
    """

    def __init__(self, stages: Stages, out_channels: list[int]) -> None:
        super().__init__()
        self.out_channels = out_channels
        max_pool = get_matching_pool_op(dimension=stages.n_dimensions, pool_type="max")
        self.pools = nn.ModuleList(max_pool(tuple(stride)) for stride in stages.strides[1:])
        self.pools.insert(0, nn.Identity())


class BranchesEncoder(Encoder):
    """An encoder with a branch for each modality.

    Args:
        n_modalities: channels of the image; each gets a branch of its own.
        stages: sizes of the network.
        out_channels: channels of the features of every stage, high to low resolution.
    """

    def __init__(self, n_modalities: int, stages: Stages, out_channels: list[int]) -> None:
        super().__init__(stages, out_channels)
        self.modality_branches = nn.ModuleList(
            branch(1, stages.modality_channels, stages) for _ in range(n_modalities)
        )


class FusingEncoder(BranchesEncoder):
    """An encoder with a branch for each modality, and one that continues from the fused features at every stage.

    Args:
        n_modalities: channels of the image; each gets a branch of its own.
        stages: sizes of the network.
    """

    def __init__(self, n_modalities: int, stages: Stages) -> None:
        super().__init__(n_modalities, stages, stages.fusion_channels)
        self.fusion_branch = branch(n_modalities, stages.fusion_channels, stages)

    @abstractmethod
    def fuse(self, stage: int, fusion_features: Tensor, modality_features: list[Tensor]) -> Tensor:
        """Fuse the features of the fusion branch with those of each modality.

        Args:
            stage: counted from 0, at full resolution.
            fusion_features: ``(b, fusion_channels[stage], *space)``.
            modality_features: ``(b, modality_channels[stage], *space)`` each.

        Returns:
            The fused features, of the shape of ``fusion_features``.
        """

    def forward(self, image: Tensor) -> list[Tensor]:
        """Encode the image ``(b, n_modalities, *space)``.

        Returns:
            The fused features of every stage, high to low resolution, each
            ``(b, fusion_channels[i], *space / total_stride[i])``.
        """
        modality_features = list(image.split(1, dim=1))
        fused = image
        stage_features = []
        blocks = zip(self.pools, self.fusion_branch, *self.modality_branches, strict=True)
        for stage, (pool, fusion_block, *modality_blocks) in enumerate(blocks):
            modality_features = encode_each(pool, modality_blocks, modality_features)
            fused = self.fuse(stage, fusion_block(pool(fused)), modality_features)
            stage_features.append(fused)
        return stage_features


class AdaFusionEncoder(FusingEncoder):
    """Extract features from each modality and from all together, and fuse them at every stage.

    B_PET, B_CT, ... see their own channel; B_Fuse starts from the concatenated image, and each of its later
    blocks continues from the fused features of the stage before. choice: with more than two modalities, which
    the paper does not have, each gets a branch.

    Args:
        n_modalities: channels of the image, at least 2; each gets a branch of its own.
        stages: sizes of the network.
    """

    def __init__(self, n_modalities: int, stages: Stages) -> None:
        super().__init__(n_modalities, stages)
        self.fusion_gates = nn.ModuleList(
            FusionGate([modality_channels] * n_modalities, fusion_channels, kernel_size)
            for modality_channels, fusion_channels, kernel_size in zip(
                stages.modality_channels, stages.fusion_channels, stages.kernel_sizes, strict=True
            )
        )

    def fuse(self, stage: int, fusion_features: Tensor, modality_features: list[Tensor]) -> Tensor:
        """Add ``F_fuse`` and ``F_pc``, weighted by the gate."""
        fused: Tensor = self.fusion_gates[stage](fusion_features, modality_features)[0]
        return fused


def encode_each(
    pool: nn.Module, blocks: Sequence[nn.Module], modality_features: Sequence[Tensor]
) -> list[Tensor]:
    """Features of each modality in one stage, from those of the stage before; in the first from its channel."""
    return [block(pool(features)) for block, features in zip(blocks, modality_features, strict=True)]


def branch(in_channels: int, channels: list[int], stages: Stages) -> nn.ModuleList:
    """One residual block a stage."""
    return nn.ModuleList(
        ResidualBlock(block_in, block_out, kernel_size, n_convs)
        for block_in, block_out, kernel_size, n_convs in zip(
            [in_channels, *channels[:-1]], channels, stages.kernel_sizes, stages.n_convs, strict=True
        )
    )
