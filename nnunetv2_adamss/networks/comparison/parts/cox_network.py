"""Base class of networks that predict a log hazard, and the head of DeepMTS."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nnunetv2_adamss.networks.survival_network import SurvivalNetwork

_HIDDEN = 64
_DROPOUT = 0.5


class CoxNetwork(SurvivalNetwork):
    """A network with one output, the log hazard relative to a baseline that the training estimates.

    Args:
        n_intervals: time intervals of the baseline hazard.
    """

    # Increase of the cumulative baseline hazard over each interval, (n_intervals,). Zero before the first epoch has
    # ended: all patients survive.
    baseline_hazard: Tensor
    head: "CoxHead"

    def __init__(self, n_intervals: int) -> None:
        super().__init__()
        self.register_buffer("baseline_hazard", torch.zeros(n_intervals))

    def survival_prob(self, outputs: Tensor) -> Tensor:
        """Conditional survival of proportional hazards, for log hazards ``(b, 1)``."""
        # As a sum of logarithms: zero times an overflown hazard would be NaN.
        return torch.exp(-torch.exp(self.baseline_hazard.to(outputs).log() + outputs))

    def squared_weights(self) -> Tensor:
        """Sum of squares of the head's weight matrices, which the loss penalises, a scalar."""
        return self.head.squared_weights()


class CoxHead(nn.Module):
    """Pooled features and covariates to a log hazard, as in DeepMTS.

    Args:
        n_features: of each set; each set is compressed separately.
        n_covariates: numbers that are concatenated with the compressed features.
    """

    def __init__(self, n_features: Sequence[int], n_covariates: int) -> None:
        super().__init__()
        self.compress = nn.ModuleList(
            nn.Sequential(nn.Dropout(_DROPOUT), nn.Linear(n, _HIDDEN), nn.ReLU()) for n in n_features
        )
        self.dropout = nn.Dropout(_DROPOUT)
        self.log_hazard = nn.Linear(_HIDDEN * len(n_features) + n_covariates, 1)

    def forward(self, feature_sets: Sequence[Tensor], covariates: Tensor) -> Tensor:
        """Log hazard ``(b, 1)`` of sets of ``(b, n_features)`` and covariates ``(b, n_covariates)``."""
        compressed = [
            compress(features) for compress, features in zip(self.compress, feature_sets, strict=True)
        ]
        x = self.dropout(torch.cat([*compressed, covariates], dim=1))
        # In float32: half precision has so few digits that patients would share a log hazard.
        with torch.autocast(x.device.type, enabled=False):
            return self.log_hazard(x.float())

    def squared_weights(self) -> Tensor:
        """Sum of squares of all weight matrices, a scalar."""
        linear = [module for module in self.modules() if isinstance(module, nn.Linear)]
        return torch.stack([layer.weight.square().sum() for layer in linear]).sum()
