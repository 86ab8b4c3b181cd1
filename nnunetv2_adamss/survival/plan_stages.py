"""The network's stages, as nnU-Net's plan asks for them."""

from nnunetv2.utilities.plans_handling.plans_handler import ConfigurationManager

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
