"""What a plan's CT window hides, said only where it hides more than the paper's."""

from typing import Any

import pytest

from nnunetv2_adamss.datasets.normalization import plans_with
from nnunetv2_adamss.survival.nnunet_data.ct_window import ct_window_hu, lost_by_ct_window

CHANNELS: dict[str, Any] = {"channel_names": {"0": "PET", "1": "CT"}}
# As nnU-Net plans them, with the window of the soft-tissue sarcomas.
PROPERTIES = {"mean": 40.0, "std": 30.0, "percentile_00_5": -67.2, "percentile_99_5": 125.4}
SCHEMES = {"normalization_schemes": ["ZScoreNormalization", "CTNormalization"], "architecture": {}}
PLANS: dict[str, Any] = {
    "dataset_name": "Dataset011_Sarcoma",
    "plans_name": "nnUNetPlans",
    "configurations": {
        "3d_fullres": SCHEMES,
        "3d_small": {"inherits_from": "3d_fullres"},
    },
    "foreground_intensity_properties_per_channel": {"0": PROPERTIES, "1": PROPERTIES},
}


@pytest.mark.parametrize("configuration", ["3d_fullres", "3d_small"])
def test_nnunets_window_is_said_in_hu_with_what_to_run(configuration: str) -> None:
    assert ct_window_hu(PLANS, configuration, CHANNELS) == (-67.2, 125.4)
    said = lost_by_ct_window(PLANS, configuration, CHANNELS)
    assert said is not None
    assert "The plan clips CT to -67 to 125 HU" in said
    assert "run adamss_set_normalization -d 11, then what" in said


def test_a_plan_of_another_name_is_named_in_the_command() -> None:
    said = lost_by_ct_window(PLANS | {"plans_name": "Mine"}, "3d_fullres", CHANNELS)
    assert said is not None and "run adamss_set_normalization -d 11 -p Mine, then" in said


def test_the_papers_window_loses_nothing() -> None:
    plans = plans_with(PLANS, "AdaMSSPlans", ct=1, ct_rule="paper", pet=0, pet_rule="zscore")
    assert ct_window_hu(plans, "3d_fullres", CHANNELS) == (-1024, 1024)
    assert lost_by_ct_window(plans, "3d_fullres", CHANNELS) is None
    plans = plans_with(PLANS, "Mine", ct=1, ct_rule="nnunet", pet=0, pet_rule="suv")
    assert lost_by_ct_window(plans, "3d_fullres", CHANNELS) is not None


@pytest.mark.parametrize("channels", [{"0": "PET", "1": "MRI"}, {"0": "PET CT", "1": "low-dose CT"}])
def test_nothing_is_said_where_no_channel_is_known_to_be_the_ct(channels: dict[str, str]) -> None:
    assert lost_by_ct_window(PLANS, "3d_fullres", {"channel_names": channels}) is None


def test_nothing_is_said_of_a_ct_that_is_not_clipped() -> None:
    schemes = {"normalization_schemes": ["ZScoreNormalization", "ZScoreNormalization"]}
    plans = PLANS | {"configurations": {"3d_fullres": SCHEMES | schemes}}
    assert lost_by_ct_window(plans, "3d_fullres", CHANNELS) is None


@pytest.mark.parametrize("properties", [{}, {"1": {}}, {"1": {**PROPERTIES, "percentile_99_5": "high"}}])
def test_nothing_is_said_where_the_plan_holds_no_window(properties: dict[str, Any]) -> None:
    plans = PLANS | {"foreground_intensity_properties_per_channel": properties}
    assert lost_by_ct_window(plans, "3d_fullres", CHANNELS) is None
