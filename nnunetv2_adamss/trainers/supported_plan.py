"""Checks of plan and data set, before anything is written."""

from typing import Any

from nnunetv2.utilities.label_handling.label_handling import determine_num_input_channels
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

from nnunetv2_adamss.networks.trunk import check_n_modalities
from nnunetv2_adamss.survival.nnunet_data.plan_stages import stages_of
from nnunetv2_adamss.survival.nnunet_data.plans_file import check_configuration


def check_supported(plans: dict[str, Any], configuration: str, dataset_json: dict[str, Any]) -> None:
    """Raise ValueError, in one sentence, if AdaMSS cannot be trained on this configuration."""
    check_configuration(plans, configuration)
    plans_manager = PlansManager(plans)
    configuration_manager = plans_manager.get_configuration(configuration)
    if configuration_manager.previous_stage_name is not None:
        raise ValueError(
            f"Configuration '{configuration}' is the second step of a cascade, which AdaMSS does not support: "
            "its branches are one image modality each. Use 3d_fullres, 3d_lowres or 2d."
        )
    check_n_modalities(determine_num_input_channels(plans_manager, configuration_manager, dataset_json))
    stages_of(configuration_manager)
