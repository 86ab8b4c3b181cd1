"""The survival head: pooled decoder features and covariates to conditional survival (Section 3.3)."""

import torch
from torch import Tensor, nn

from nnunetv2_adamss.networks.masked_mean import StageMeans
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
        # The decoder has a block for every stage but the deepest.
        self.means = StageMeans(stages.n_dimensions, stages.strides[:-1])
        n_features = sum(stages.fusion_channels[:-1])
        self.hidden = nn.Linear(n_features + n_covariates, _HIDDEN)
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
        x = torch.cat([*self.means(stage_features, valid), covariates], dim=1)
        x = nn.functional.dropout(x, _DROPOUT, self.training)
        x = nn.functional.dropout(torch.relu(self.hidden(x)), _DROPOUT, self.training)
        logits: Tensor = self.output(x)
        return logits

    def squared_weights(self) -> Tensor:
        """Sum of squares of both weight matrices, for the L2 penalty."""
        return self.hidden.weight.square().sum() + self.output.weight.square().sum()
