"""The survival head: pooled decoder features and covariates to conditional survival (Section 3.3)."""

from collections.abc import Sequence

import torch
from dynamic_network_architectures.building_blocks.helper import get_matching_pool_op
from torch import Tensor, nn

from nnunetv2_adamss.networks.masked_mean import masked_mean
from nnunetv2_adamss.networks.stages import Stages

_HIDDEN = 128
_DROPOUT = 0.5


class SurvivalHead(nn.Module):
    """Global average pooling of every decoder block, two fully-connected layers with dropout.

    deviation: with an anchor, the linear risk of a Cox model is subtracted from every interval's logit, outside dropout
    and L2, and both layers add to that. As published, covariates have their say through both layers alone, which lose
    much of it (docs/anchored_model.md).

    Args:
        stages: sizes of the network.
        n_covariates: numbers that are concatenated with the pooled features.
        n_intervals: time intervals, N in the paper.
        anchor: inputs of the Cox model: ``none``, the ``covariates``, or ``image`` for the pooled features and them.
    """

    # None where it has no inputs; the checkpoint of a network without one is as it was.
    anchor: nn.Linear | None

    def __init__(self, stages: Stages, n_covariates: int, n_intervals: int, *, anchor: str = "none") -> None:
        super().__init__()
        avg_pool = get_matching_pool_op(dimension=stages.n_dimensions, pool_type="avg")
        # The decoder has a block for every stage but the deepest.
        self.valid_pools = nn.ModuleList(avg_pool(tuple(stride)) for stride in stages.strides[1:-1])
        self.valid_pools.insert(0, nn.Identity())
        n_features = sum(stages.fusion_channels[:-1]) + n_covariates
        self.hidden = nn.Linear(n_features, _HIDDEN)
        self.output = nn.Linear(_HIDDEN, n_intervals)
        n_anchored = {"none": 0, "covariates": n_covariates, "image": n_features}[anchor]
        self.anchor = nn.Linear(n_anchored, 1, bias=False).requires_grad_(False) if n_anchored else None

    def forward(self, stage_features: list[Tensor], valid: Tensor, covariates: Tensor) -> Tensor:
        """Predict logits of conditional survival.

        Args:
            stage_features: output of every decoder block, high to low resolution.
            valid: ``(b, 1, *space)``, 1 where the image is, 0 where it is padding.
            covariates: ``(b, n_covariates)``.

        Returns:
            Logits ``(b, n_intervals)``, no nonlinearity.
        """
        inputs = torch.cat([self.pooled(stage_features, valid), covariates], dim=1)
        x = nn.functional.dropout(inputs, _DROPOUT, self.training)
        x = nn.functional.dropout(torch.relu(self.hidden(x)), _DROPOUT, self.training)
        logits: Tensor = self.output(x)
        if self.anchor is None:
            return logits
        # The covariates come last, and are all that an anchor without the image has. In float32, since large weights of
        # features that say nearly the same cancel out.
        with torch.autocast(inputs.device.type, enabled=False):
            return logits - self.anchor(inputs[:, -self.anchor.in_features :].float())

    def pooled(self, stage_features: list[Tensor], valid: Tensor) -> Tensor:
        """Means over the image of every decoder block, ``(b, n_features)``; arguments as of ``forward``."""
        means = []
        share = valid.to(torch.float32)
        for pool, features in zip(self.valid_pools, stage_features, strict=True):
            share = pool(share)
            means.append(masked_mean(features, share))
        return torch.cat(means, dim=1)

    def start_anchor(self, weights: Sequence[float], logits: Sequence[float]) -> None:
        """Set the Cox model, which training leaves as it is; both layers add nothing yet, their output's weights are 0.

        Args:
            weights: log hazard ratios of the anchor's inputs, in their order.
            logits: of surviving each interval, where the weighted sum is 0, ``(n_intervals,)``.
        """
        if self.anchor is not None:
            self.anchor.weight.data.copy_(torch.tensor([list(weights)]))
            self.output.bias.data.copy_(torch.tensor(list(logits)))
            nn.init.zeros_(self.output.weight)

    def squared_weights(self) -> Tensor:
        """Sum of squares of both weight matrices, for the L2 penalty."""
        return self.hidden.weight.square().sum() + self.output.weight.square().sum()
