"""Channels are found by what users call them, and never guessed."""

import pytest

from nnunetv2_adamss.survival.nnunet_data.modalities import Modality, find_channel, modalities


@pytest.mark.parametrize(
    ("names", "modality", "channel"),
    [
        (["CT", "PET"], "PET", 1),
        (["CT", "PET"], "CT", 0),
        (["pt", "ct"], "PET", 0),
        (["pt", "ct"], "CT", 1),
        (["CT", "FDG"], "PET", 1),
        (["CT", "Suv"], "PET", 1),
        (["low-dose CT", "FDG-PET"], "PET", 1),
        (["low-dose CT", "FDG-PET"], "CT", 0),
        (["SUV_body", "CT_HU"], "CT", 1),
        # What is called so goes before what has it in its name.
        (["PET", "PET_gradient", "CT"], "PET", 0),
        (["CT mask", "CT", "PET"], "CT", 1),
    ],
)
def test_the_channel_of_a_modality_is_found(names: list[str], modality: Modality, channel: int) -> None:
    assert find_channel(names, modality) == channel


@pytest.mark.parametrize(
    ("names", "modality"),
    [
        (["CT", "MR"], "PET"),
        (["T1", "PET"], "CT"),
        (["CT", "PET", "PT"], "PET"),
        (["CT", "FDG-PET", "FES-PET"], "PET"),
        (["PET", "vector"], "CT"),
        ([], "PET"),
    ],
)
def test_none_or_several_are_refused_with_the_names(names: list[str], modality: Modality) -> None:
    with pytest.raises(ValueError, match=f"Which channel is the {modality} is not clear") as error:
        find_channel(names, modality)
    assert ", ".join(names) in str(error.value)


@pytest.mark.parametrize(
    ("names", "known"),
    [
        (["PT", "CT", "T2"], ["PET", "CT", None]),
        (["CTA", "FDG-PET"], [None, "PET"]),
        (["CT", "FDG-PET", "FES-PET"], ["CT", None, None]),
        (["PET/CT"], ["PET"]),
        ([], []),
    ],
)
def test_an_unclear_modality_is_left_open_until_it_is_needed(
    names: list[str], known: list[Modality | None]
) -> None:
    assert modalities(names) == known
