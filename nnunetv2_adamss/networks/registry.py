"""Every survival network by the name that its checkpoints hold, so that they can be read without their trainer."""

from collections.abc import Callable

from nnunetv2_adamss.networks.adamss import AdaMSSMultiTask, AdaMSSSurvival
from nnunetv2_adamss.networks.comparison.deepmtlr import DeepMTLR
from nnunetv2_adamss.networks.comparison.deepmts import DeepMTS
from nnunetv2_adamss.networks.comparison.mdsn_proxy import MDSNProxy
from nnunetv2_adamss.networks.encoder import AdaFusionEncoder
from nnunetv2_adamss.networks.fusion_strategies import (
    CTEncoder,
    EarlyFusionEncoder,
    FusionStrategy,
    IntermediateFusionEncoder,
    LateFusionEncoder,
    PETEncoder,
)
from nnunetv2_adamss.networks.survival_network import NetworkSizes, SurvivalNetwork

ADAMSS = "adamss"


def _adamss(fusion: FusionStrategy) -> Callable[[NetworkSizes], SurvivalNetwork]:
    return lambda sizes: AdaMSSSurvival(
        sizes.n_modalities,
        sizes.n_intervals,
        sizes.n_covariates,
        sizes.strides,
        sizes.kernel_sizes,
        fusion=fusion,
    )


def _tmss(sizes: NetworkSizes) -> SurvivalNetwork:
    # MONAI takes seconds to import, which nothing else needs.
    from nnunetv2_adamss.networks.comparison.tmss import TMSS  # noqa: PLC0415

    return TMSS(sizes.n_modalities, sizes.n_intervals, sizes.n_covariates, sizes.crop_size)


_BUILDERS: dict[str, Callable[[NetworkSizes], SurvivalNetwork]] = {
    ADAMSS: _adamss(AdaFusionEncoder),
    "adamss_pet_only": _adamss(PETEncoder),
    "adamss_ct_only": _adamss(CTEncoder),
    "adamss_early_fusion": _adamss(EarlyFusionEncoder),
    "adamss_late_fusion": _adamss(LateFusionEncoder),
    "adamss_intermediate_fusion": _adamss(IntermediateFusionEncoder),
    "adamss_multi_task": lambda sizes: AdaMSSMultiTask(
        sizes.n_modalities, sizes.n_intervals, sizes.n_covariates, sizes.strides, sizes.kernel_sizes
    ),
    "deepmts": lambda sizes: DeepMTS(
        sizes.n_modalities, sizes.n_intervals, sizes.n_covariates, sizes.strides, sizes.kernel_sizes
    ),
    "mdsn_proxy": lambda sizes: MDSNProxy(sizes.n_modalities, sizes.n_intervals, sizes.n_covariates),
    "deepmtlr": lambda sizes: DeepMTLR(sizes.n_intervals, sizes.n_covariates),
    "tmss": _tmss,
}


def build_survival_network(name: str, sizes: NetworkSizes) -> SurvivalNetwork:
    """Build a network with new weights.

    Args:
        name: as its trainer and its checkpoints have it.
        sizes: what it is built for.

    Raises:
        ValueError: if there is no such network, or it cannot have these sizes.
    """
    if name not in _BUILDERS:
        raise ValueError(
            f"There is no survival network '{name}' in this version, only {', '.join(_BUILDERS)}."
        )
    return _BUILDERS[name](sizes)
