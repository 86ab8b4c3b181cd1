"""The comparison networks in sizes that a test has time for."""

from collections.abc import Callable

import torch

from nnunetv2_adamss.networks.comparison.deepmtlr import DeepMTLR
from nnunetv2_adamss.networks.comparison.deepmts import DeepMTS
from nnunetv2_adamss.networks.comparison.mdsn_proxy import MDSNProxy
from nnunetv2_adamss.networks.comparison.tmss import TMSS
from nnunetv2_adamss.networks.survival_network import SurvivalNetwork

N_INTERVALS = 5
STRIDES = [[1, 1, 1], [2, 2, 2], [1, 2, 2]]
KERNEL_SIZES = [[1, 3, 3], [3, 3, 3], [3, 3, 3]]

# By name, from the number of covariates and the side of the largest image.
NETWORKS: dict[str, Callable[[int, int], SurvivalNetwork]] = {
    "deepmts": lambda n_covariates, _: DeepMTS(2, N_INTERVALS, n_covariates, STRIDES, KERNEL_SIZES),
    "mdsn_proxy": lambda n_covariates, _: MDSNProxy(2, N_INTERVALS, n_covariates),
    "deepmtlr": lambda n_covariates, _: DeepMTLR(N_INTERVALS, n_covariates),
    "tmss": lambda n_covariates, side: TMSS(
        2, N_INTERVALS, n_covariates, [side] * 3, n_hidden=24, n_mlp=48, n_layers=4, n_heads=2
    ),
}


def make_network(name: str, n_covariates: int = 0, side: int = 24) -> SurvivalNetwork:
    torch.manual_seed(0)
    return NETWORKS[name](n_covariates, side)
