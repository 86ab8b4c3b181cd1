"""Sizes of a survival network, from nnU-Net's plan and the survival fold."""

from collections.abc import Mapping
from typing import Any

from nnunetv2.utilities.plans_handling.plans_handler import ConfigurationManager

from nnunetv2_adamss.networks.survival_network import NetworkSizes
from nnunetv2_adamss.survival.fold import SurvivalFold
from nnunetv2_adamss.survival.nnunet_data.dataset import channel_names
from nnunetv2_adamss.survival.nnunet_data.plan_stages import stages_of
from nnunetv2_adamss.survival.tumour_region.region import crop_size


def network_sizes(
    fold: SurvivalFold, configuration: ConfigurationManager, dataset_json: Mapping[str, Any]
) -> NetworkSizes:
    """Sizes of the survival network of a fold.

    Raises:
        ValueError: if the plan has stages that the networks cannot have.
    """
    stages = stages_of(configuration)
    return NetworkSizes(
        channel_names=tuple(channel_names(dataset_json)),
        n_intervals=fold.n_intervals,
        n_covariates=len(fold.covariates.names),
        strides=stages.strides,
        kernel_sizes=stages.kernel_sizes,
        crop_size=crop_size(configuration.spacing, stages.total_stride),
        anchor=fold.config.anchor,
    )
