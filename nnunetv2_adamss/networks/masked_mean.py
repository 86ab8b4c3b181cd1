"""Global average pooling over the image, without its padding."""

from collections.abc import Sequence

import torch
from dynamic_network_architectures.building_blocks.helper import get_matching_pool_op
from torch import Tensor, nn
from torch.nn import functional as F


def masked_mean(features: Tensor, share: Tensor) -> Tensor:
    """Mean over space of ``(b, channels, *space)``, voxels weighted by the share of image in them.

    choice: the paper pools over whole crops; a region that leaves the image must not dilute the mean.
    In float32, since half precision cannot add up a million voxels.

    Args:
        features: ``(b, channels, *space)``.
        share: ``(b, 1, *space)`` in [0, 1].
    """
    space = tuple(range(2, features.ndim))
    weighted_sum = (features.to(torch.float32) * share).sum(space)
    return weighted_sum / share.sum(space).clamp(min=1e-6)


def share_of_image(valid: Tensor, size: Sequence[int]) -> Tensor:
    """Share of image in each voxel of coarser features, in [0, 1], ``(b, 1, *size)``.

    Args:
        valid: ``(b, 1, *space)``, 1 where the image is, 0 where it is padding.
        size: of the features, three axes.
    """
    depth, height, width = size
    return F.adaptive_avg_pool3d(valid.to(torch.float32), (depth, height, width))


class StageMeans(nn.Module):
    """Means over the image of the features of the first stages, high to low resolution.

    Args:
        n_dimensions: number of spatial axes.
        strides: pooling before each of these stages, per axis; the first is not pooled.
    """

    def __init__(self, n_dimensions: int, strides: Sequence[Sequence[int]]) -> None:
        super().__init__()
        avg_pool = get_matching_pool_op(dimension=n_dimensions, pool_type="avg")
        self.valid_pools = nn.ModuleList(avg_pool(tuple(stride)) for stride in strides)

    def forward(self, stage_features: Sequence[Tensor], valid: Tensor) -> list[Tensor]:
        """One mean a stage, ``(b, channels)``.

        Args:
            stage_features: ``(b, channels, *space)`` of every stage.
            valid: ``(b, 1, *space)``, 1 where the image is, 0 where it is padding.
        """
        means = []
        share = valid.to(torch.float32)
        for pool, features in zip(self.valid_pools, stage_features[: len(self.valid_pools)], strict=True):
            share = pool(share)
            means.append(masked_mean(features, share))
        return means
