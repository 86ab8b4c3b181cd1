"""The linear risk of a Cox model, which an anchored network starts from and adds to."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nnunetv2_adamss.networks.masked_mean import StageMeans
from nnunetv2_adamss.networks.stages import Stages

ANCHORS = ("none", "covariates", "image")


class RiskAnchor(nn.Module):
    """A weighted sum of covariates, and of the encoder's features where the anchor is the ``image``.

    deviation: it is subtracted from every interval's logit, outside dropout and L2, and is not trained. As published,
    covariates reach the logits through the survival head alone, which loses much of them, and image features through
    the decoder, which leaves out much of what lies outside the tumour (docs/anchored_model.md).

    Args:
        stages: sizes of the network.
        encoder_channels: of every stage, high to low resolution; none for an anchor on the covariates alone.
        n_covariates: of a patient.
    """

    def __init__(self, stages: Stages, encoder_channels: Sequence[int], n_covariates: int) -> None:
        super().__init__()
        self.means = StageMeans(stages.n_dimensions, stages.strides[: len(encoder_channels)])
        self.risk = nn.Linear(sum(encoder_channels) + n_covariates, 1, bias=False).requires_grad_(False)

    def forward(self, encoder_features: list[Tensor], valid: Tensor, covariates: Tensor) -> Tensor:
        """Log hazard ratio, ``(b, 1)``.

        Args:
            encoder_features: of every stage, high to low resolution.
            valid: ``(b, 1, *space)``, 1 where the image is, 0 where it is padding.
            covariates: ``(b, n_covariates)``.
        """
        inputs = torch.cat([*self.means(encoder_features, valid), covariates], dim=1)
        # In float32, since large weights of nearly equal features cancel out.
        with torch.autocast(inputs.device.type, enabled=False):
            risk: Tensor = self.risk(inputs.float())
        return risk
