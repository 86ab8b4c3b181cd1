"""A stand-in for MDSN (Jing et al. 2020), whose layers are not published."""

from torch import Tensor

from nnunetv2_adamss.networks.comparison.parts.cox_network import CoxHead, CoxNetwork
from nnunetv2_adamss.networks.comparison.parts.dense_net import DenseNet
from nnunetv2_adamss.networks.survival_network import NetworkSizes


class MDSNProxy(CoxNetwork):
    """Early fusion of the modalities as channels, end to end, to a log hazard.

    choice: the publication describes a 3D CNN with Cox loss on early-fused images, in no more detail; this is the
    densely connected part of DeepMTS without its mask channel. Shown as "MDSN (proxy)".

    Args:
        n_modalities: channels of the image.
        n_intervals: time intervals of the baseline hazard.
        n_covariates: numbers beside the image; 0 for none.
    """

    def __init__(self, n_modalities: int, n_intervals: int, n_covariates: int) -> None:
        super().__init__(n_intervals)
        self.dense_net = DenseNet(n_modalities)
        self.head = CoxHead([DenseNet.n_features], n_covariates)

    def forward(self, image: Tensor, valid: Tensor, covariates: Tensor) -> Tensor:
        """Predict the log hazard ``(b, 1)``; arguments as for every ``SurvivalNetwork``."""
        return self.head([self.dense_net(image, valid)], covariates)


def build(sizes: NetworkSizes) -> MDSNProxy:
    """Build the network that checkpoints call ``mdsn_proxy``."""
    return MDSNProxy(sizes.n_modalities, sizes.n_intervals, sizes.n_covariates)
