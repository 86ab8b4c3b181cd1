"""The window to which a plan clips CT, and the loss if it is nnU-Net's."""

from collections.abc import Mapping
from typing import Any

from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

from nnunetv2_adamss.common.kinds import is_number
from nnunetv2_adamss.survival.nnunet_data.dataset import channel_names, dataset_id
from nnunetv2_adamss.survival.nnunet_data.modalities import modalities

# nnU-Net's normalisation of CT, and where its numbers stand in a plan.
CT_NORMALIZATION = "CTNormalization"
PROPERTIES = "foreground_intensity_properties_per_channel"
PERCENTILES = ("percentile_00_5", "percentile_99_5")
# Section 4.1.
PAPER_WINDOW_HU = (-1024.0, 1024.0)


def ct_window_hu(
    plans: Mapping[str, Any], configuration: str, dataset_json: Mapping[str, Any]
) -> tuple[float, float] | None:
    """Lowest and highest HU that a configuration distinguishes.

    Returns:
        None if no channel is known to be CT, if it is not clipped, or if the plan does not give the window.
    """
    channels = modalities(channel_names(dataset_json))
    if "CT" not in channels:
        return None
    channel = channels.index("CT")
    schemes = PlansManager(dict(plans)).get_configuration(configuration).normalization_schemes
    if schemes[channel] != CT_NORMALIZATION:
        return None
    properties = plans.get(PROPERTIES, {}).get(str(channel), {})
    lowest, highest = (properties.get(name) for name in PERCENTILES)
    return (float(lowest), float(highest)) if is_number(lowest) and is_number(highest) else None


def lost_by_ct_window(
    plans: Mapping[str, Any], configuration: str, dataset_json: Mapping[str, Any]
) -> str | None:
    """A sentence on what the plan's CT window hides and the command for the paper's; None if it hides no more.

    Args:
        plans: content of the plans file.
        configuration: such as ``3d_fullres``.
        dataset_json: of the data set.
    """
    window = ct_window_hu(plans, configuration, dataset_json)
    if window is None or (window[0] <= PAPER_WINDOW_HU[0] and window[1] >= PAPER_WINDOW_HU[1]):
        return None
    lowest, highest = window
    plan = "" if plans["plans_name"] == "nnUNetPlans" else f" -p {plans['plans_name']}"
    return (
        f"The plan clips CT to {lowest:.0f} to {highest:.0f} HU, a window that nnU-Net fits to the tumours, so what "
        "differs only below or above it outside them, as in fat, lung and bone, is lost to the network; for +-1024 HU, "
        f"as in the paper, run adamss_set_normalization -d {dataset_id(plans['dataset_name'])}{plan}, then what it "
        "prints."
    )
