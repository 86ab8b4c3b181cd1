"""Multi-task logistic regression (Yu et al. 2011): outputs, scores of time bins, survival, and its head."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nnunetv2_adamss.networks.survival_network import SurvivalNetwork

_DROPOUT = 0.2


def bin_scores(outputs: Tensor) -> Tensor:
    """Logits of an event in each interval and, last, beyond all; their softmax are the probabilities.

    The published product with a triangular matrix of ones: who dies in interval k is dead in k and all later ones,
    so its score is the sum of the outputs from k on.

    Args:
        outputs: of the network, ``(b, n_intervals)``.

    Returns:
        ``(b, n_intervals + 1)``, in float32 at least.
    """
    # In float32: mixed precision hands in float16, too coarse for sums.
    outputs = outputs.to(torch.promote_types(outputs.dtype, torch.float32))
    return F.pad(outputs.flip(-1).cumsum(-1).flip(-1), (0, 1))


def conditional_survival(outputs: Tensor) -> Tensor:
    """Probability of surviving each interval given alive at its start, ``(b, n_intervals)`` like ``outputs``."""
    scores = bin_scores(outputs)
    beyond = torch.logcumsumexp(scores.flip(-1), dim=-1).flip(-1)[..., 1:]
    # P(later) / (P(later) + P(here)) is a sigmoid of log odds, for any size of the logits.
    return torch.sigmoid(beyond - scores[..., :-1])


class MTLRNetwork(SurvivalNetwork):
    """A network whose outputs are those of multi-task logistic regression."""

    head: "MTLRHead"

    def survival_prob(self, outputs: Tensor) -> Tensor:
        """Conditional survival of outputs ``(b, n_intervals)``."""
        return conditional_survival(outputs)

    def squared_weights(self) -> Tensor:
        """Sum of squares of the weights of the regression, a scalar."""
        return self.head.squared_weights()


class MTLRHead(nn.Module):
    """Linear-BN-ReLU-dropout layers, and the regression.

    Args:
        n_features: numbers in.
        n_hidden: of each layer.
        n_intervals: numbers out.
    """

    def __init__(self, n_features: int, n_hidden: Sequence[int], n_intervals: int) -> None:
        super().__init__()
        self.hidden = nn.Sequential(
            *(
                nn.Sequential(nn.Linear(n_in, n_out), nn.BatchNorm1d(n_out), nn.ReLU(), nn.Dropout(_DROPOUT))
                for n_in, n_out in pairwise([n_features, *n_hidden])
            )
        )
        self.regression = nn.Linear(n_hidden[-1], n_intervals)

    def forward(self, features: Tensor) -> Tensor:
        """Map ``(b, n_features)`` to ``(b, n_intervals)``."""
        return self.regression(self.hidden(features))

    def squared_weights(self) -> Tensor:
        """Sum of squares of the weights of the regression, a scalar."""
        return self.regression.weight.square().sum()
