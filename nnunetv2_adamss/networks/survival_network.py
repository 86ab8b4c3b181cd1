"""Base classes of all survival networks, their sizes and their outputs."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class NetworkSizes:
    """Sizes that a survival network is built for.

    Args:
        channel_names: of the image, in the order of the channels.
        n_intervals: time intervals; the paper's N is 10.
        n_covariates: radiomics features and clinical indicators of a patient; 0 for none.
        strides: of the plan, before each stage, per axis.
        kernel_sizes: of the plan, of each stage, per axis.
        crop_size: voxels of a training crop, per axis.
        anchor: of AdaMSS: ``none``, ``covariates`` or ``image``.
    """

    channel_names: tuple[str, ...]
    n_intervals: int
    n_covariates: int
    strides: Sequence[Sequence[int]]
    kernel_sizes: Sequence[Sequence[int]]
    crop_size: tuple[int, ...]
    anchor: str = "none"

    @property
    def n_modalities(self) -> int:
        """Number of channels of the image."""
        return len(self.channel_names)


class MultiTaskOutput(NamedTuple):
    """Outputs of a network that segments and predicts survival at the same time.

    Attributes:
        survival: outputs, ``(b, n_outputs)``.
        segmentation: logit of tumour, the union of all labels, ``(b, 1, *space)``.
    """

    survival: Tensor
    segmentation: Tensor


class SurvivalNetwork(nn.Module, ABC):
    """A network that maps PET/CT and covariates to outputs from which survival follows."""

    @abstractmethod
    def forward(self, image: Tensor, valid: Tensor, covariates: Tensor) -> Tensor | MultiTaskOutput:
        """Predict the outputs that the network's loss takes.

        Args:
            image: ``(b, n_modalities, *space)``.
            valid: ``(b, 1, *space)``, 1 where the image is, 0 where it is padding.
            covariates: ``(b, n_covariates)``.

        Returns:
            Outputs ``(b, n_outputs)``, in a ``MultiTaskOutput`` if the network also segments.
        """

    @abstractmethod
    def survival_prob(self, outputs: Tensor) -> Tensor:
        """Conditional probability of surviving each interval, the paper's S_pred, ``(b, n_intervals)`` in [0, 1].

        Computed on the device of ``outputs`` and with their precision.

        Args:
            outputs: of this network, ``(b, n_outputs)``.
        """

    @abstractmethod
    def squared_weights(self) -> Tensor:
        """Sum of squares of the weights that the loss penalises, a scalar."""


class DiscreteTimeNetwork(SurvivalNetwork):
    """A network whose outputs are the logits of surviving each interval, given alive at its start."""

    def survival_prob(self, outputs: Tensor) -> Tensor:
        """The paper's S_pred of logits, ``(b, n_intervals)`` in [0, 1]."""
        return torch.sigmoid(outputs)


def survival_outputs(output: Tensor | MultiTaskOutput) -> Tensor:
    """The part of an output that predicts survival, ``(b, n_outputs)``."""
    return output.survival if isinstance(output, MultiTaskOutput) else output
