"""Stages and dimensions of the network, from nnU-Net's plan."""

from typing import Any

from nnunetv2.utilities.plans_handling.plans_handler import ConfigurationManager, PlansManager

from nnunetv2_adamss.networks.stages import Stages


def stages_of(configuration_manager: ConfigurationManager) -> Stages:
    """The stages that a configuration of the plan asks for.

    Raises:
        ValueError: if AdaMSS cannot have such stages, or the patch does not fit them.
    """
    architecture = configuration_manager.network_arch_init_kwargs
    missing = [key for key in ("strides", "kernel_sizes") if key not in architecture]
    if missing:
        raise ValueError(
            f"The plan's architecture ({configuration_manager.network_arch_class_name}) has no "
            f"{' and no '.join(missing)}, from which AdaMSS takes its stages. Use a plan of nnU-Net's default or "
            "residual-encoder planners."
        )
    # deviation: 1 mm voxels, 160 mm crops and five stages in the paper; here nnU-Net's plan decides.
    stages = Stages(architecture["strides"], architecture["kernel_sizes"])
    stages.check_image_size(configuration_manager.patch_size)
    return stages


def check_three_dimensional(plans: dict[str, Any], configuration: str) -> None:
    """Raise ValueError, in one sentence, if survival cannot be learned on this configuration."""
    if configuration in plans["configurations"]:
        patch_size = PlansManager(plans).get_configuration(configuration).patch_size
        if len(patch_size) != 3:
            raise ValueError(
                f"Configuration '{configuration}' has {len(patch_size)}D patches, but survival is learned from a 3D "
                "region around the tumour. Use 3d_fullres or 3d_lowres."
            )
