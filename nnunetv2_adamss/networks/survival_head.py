"""The survival head: pooled decoder features and covariates to conditional survival (Section 3.3)."""

import torch
from dynamic_network_architectures.building_blocks.helper import get_matching_pool_op
from torch import Tensor, nn

from nnunetv2_adamss.networks.masked_mean import masked_mean
from nnunetv2_adamss.networks.stages import Stages

_HIDDEN = 128
_DROPOUT = 0.5


class SurvivalHead(nn.Module):
    """Global average pooling of every decoder block, two fully-connected layers with dropout.

    Args:
        stages: sizes of the network.
        n_covariates: numbers that are concatenated with the pooled features.
        n_intervals: time intervals, N in the paper.
    """

    def __init__(self, stages: Stages, n_covariates: int, n_intervals: int) -> None:
        super().__init__()
        avg_pool = get_matching_pool_op(dimension=stages.n_dimensions, pool_type="avg")
        # The decoder has a block for every stage but the deepest.
        self.valid_pools = nn.ModuleList(avg_pool(tuple(stride)) for stride in stages.strides[1:-1])
        self.valid_pools.insert(0, nn.Identity())
        n_features = sum(stages.fusion_channels[:-1]) + n_covariates
        self.hidden = nn.Linear(n_features, _HIDDEN)
        self.output = nn.Linear(_HIDDEN, n_intervals)

    def forward(self, stage_features: list[Tensor], valid: Tensor, covariates: Tensor) -> Tensor:
        """Predict logits of conditional survival.

        Args:
            stage_features: output of every decoder block, high to low resolution.
            valid: ``(b, 1, *space)``, 1 where the image is, 0 where it is padding.
            covariates: ``(b, n_covariates)``.

        Returns:
            Logits ``(b, n_intervals)``, no nonlinearity.
        """
        pooled = []
        share = valid.to(torch.float32)
        for pool, features in zip(self.valid_pools, stage_features, strict=True):
            share = pool(share)
            pooled.append(masked_mean(features, share))
        x = torch.cat([*pooled, covariates], dim=1)
        x = nn.functional.dropout(x, _DROPOUT, self.training)
        x = nn.functional.dropout(torch.relu(self.hidden(x)), _DROPOUT, self.training)
        return self.output(x)

    def squared_weights(self) -> Tensor:
        """Sum of squares of both weight matrices, for the L2 penalty."""
        return self.hidden.weight.square().sum() + self.output.weight.square().sum()
