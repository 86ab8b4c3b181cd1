"""Every survival network by the name that its checkpoints hold, so that they can be read without their trainer."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from nnunetv2_adamss.networks import comparison
from nnunetv2_adamss.networks.adamss import AdaMSSMultiTask, AdaMSSSurvival
from nnunetv2_adamss.networks.fusion_strategies import FUSION_STRATEGIES
from nnunetv2_adamss.networks.survival_network import NetworkSizes, SurvivalNetwork

ADAMSS = "adamss"
ADAMSS_MULTI_TASK = "adamss_multi_task"


@cache
def network_names() -> tuple[str, ...]:
    """All names; a file ``comparison/NAME.py`` that defines ``build`` adds its own."""
    files = (module.name for module in iter_modules(comparison.__path__) if not module.ispkg)
    return (*FUSION_STRATEGIES, ADAMSS_MULTI_TASK, *files)


def can_be_anchored(name: str) -> bool:
    """Return True if the survival network of this name can start from a Cox model."""
    return name in (ADAMSS_MULTI_TASK, *FUSION_STRATEGIES)


def build_survival_network(name: str, sizes: NetworkSizes) -> SurvivalNetwork:
    """Build a network with new weights.

    Args:
        name: as its trainer and its checkpoints have it.
        sizes: the sizes that it is built for.

    Raises:
        ValueError: if the network does not exist, or it cannot have these sizes.
    """
    # Nothing else is ever imported: the name may come from another person's checkpoint.
    if name not in network_names():
        raise ValueError(
            f"There is no survival network '{name}' in this version, only {', '.join(network_names())}."
        )
    if can_be_anchored(name):
        positional = (
            sizes.n_modalities, sizes.n_intervals, sizes.n_covariates, sizes.strides, sizes.kernel_sizes
        )  # fmt: skip
        if name == ADAMSS_MULTI_TASK:
            return AdaMSSMultiTask(*positional, anchor=sizes.anchor)
        return AdaMSSSurvival(*positional, fusion=FUSION_STRATEGIES[name], anchor=sizes.anchor)
    # Only when needed: tmss needs MONAI, which takes seconds to import.
    network: SurvivalNetwork = import_module(f"{comparison.__name__}.{name}").build(sizes)
    return network
