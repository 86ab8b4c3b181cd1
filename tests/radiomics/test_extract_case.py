"""The features of one case: names, values by hand, what else can be extracted, and input that does not serve."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from nnunetv2_adamss.radiomics.extract_case import extract_case
from nnunetv2_adamss.radiomics.radiomics_settings import RadiomicsSettings
from nnunetv2_adamss.radiomics.request import Extras, RadiomicsRequest
from tests.radiomics.phantoms import (
    CHANNELS,
    ball,
    image_of,
    paper_request,
    pet_ct,
    quick_request,
    write_case,
)

SHAPE = (16, 20, 18)


@pytest.fixture
def mask() -> np.ndarray:
    """A primary of 4 voxels' radius, a smaller node apart from it, and an unlabelled corner."""
    labels = ball(SHAPE, (8, 6, 8), 4).astype(np.uint8)
    labels[ball(SHAPE, (8, 15, 8), 3)] = 2
    labels[:2, :2, :2] = 3
    return labels


def test_columns_are_1456_of_stable_names(tmp_path: Path, mask: np.ndarray) -> None:
    columns = list(extract_case(write_case(tmp_path, "a", mask), paper_request()).features)
    assert len(columns) == len(set(columns)) == 1456
    assert columns[:2] == ["shape_Elongation", "shape_Flatness"]
    assert {
        "CT_original_glcm_Contrast",
        "PET_wavelet-LLH_firstorder_Mean",
        "PET_original_ngtdm_Busyness",
    } <= set(columns)
    assert not [c for c in columns if not c.startswith(("shape_", "CT_", "PET_")) or " " in c or "," in c]


def test_values_are_those_of_the_original_images_in_the_tumour_without_the_ignored_label(
    tmp_path: Path, mask: np.ndarray
) -> None:
    found = extract_case(write_case(tmp_path, "a", mask, seed=3), quick_request()).features
    ct, pet = pet_ct(mask, seed=3)
    tumour = (mask == 1) | (mask == 2)
    assert found["CT_original_firstorder_Mean"] == pytest.approx(ct[tumour].mean())
    assert found["PET_original_firstorder_Maximum"] == pytest.approx(pet[tumour].max())


def test_labels_lesions_and_a_shell_are_extracted_on_request(tmp_path: Path, mask: np.ndarray) -> None:
    case = write_case(tmp_path, "a", mask, spacing_mm=(2, 2, 2))
    plain = extract_case(case, quick_request()).features
    found = extract_case(case, quick_request(per_label=True, per_lesion=True, shell_mm=4.0)).features
    assert {column: found[column] for column in plain} == plain
    name = "PET_original_firstorder_Mean"
    _, pet = pet_ct(mask)
    primary, node = (pet[mask == label].mean(dtype=float) for label in (1, 2))
    assert found[f"label.primary.{name}"] == pytest.approx(primary)
    assert found[f"label.node.{name}"] == pytest.approx(node)
    assert found[f"largest_lesion.{name}"] == pytest.approx(primary)
    assert found[f"lesion_sum.{name}"] == pytest.approx(primary + node)
    assert found[f"lesion_spread.{name}"] == pytest.approx(abs(primary - node) / 2)
    assert found["lesions.count"] == 2
    assert found["lesions.spread_mm"] == pytest.approx(9 * 2)
    volumes = [found[f"label.{label}.shape_MeshVolume"] for label in ("primary", "node")]
    assert found["lesion_sum.shape_MeshVolume"] == pytest.approx(sum(volumes))
    # Background is 1 SUV and the tumour 6.
    assert found[f"shell.{name}"] == pytest.approx(1, abs=0.2)


def test_a_label_that_is_absent_and_a_lesion_that_is_tiny_cost_only_their_own_features(
    tmp_path: Path, mask: np.ndarray
) -> None:
    mask[mask == 2] = 0
    mask[14, 17, 16] = 1
    found = extract_case(write_case(tmp_path, "a", mask), quick_request(per_label=True, per_lesion=True))
    assert found.features["lesions.count"] == 2
    assert "label.primary.CT_original_firstorder_Mean" in found.features
    assert not [column for column in found.features if column.startswith("label.node")]
    assert "label.node: the mask is empty" in found.notes
    assert "lesions: 1 of 2 are too small for features and only counted" in found.notes


@pytest.mark.parametrize(
    ("voxels", "note"),
    [
        ([], "the mask is empty"),
        ([(5, 5, 5)], "the mask has one voxel only"),
        ([(5, 5, 5), (5, 5, 6)], "the mask of 2 voxels is too small"),
    ],
)
def test_a_mask_without_a_region_gives_no_features_and_says_why(
    tmp_path: Path, voxels: list[tuple[int, ...]], note: str
) -> None:
    mask = np.zeros(SHAPE, dtype=np.uint8)
    for voxel in voxels:
        mask[voxel] = 1
    found = extract_case(write_case(tmp_path, "a", mask), paper_request())
    assert found.features == {}
    assert found.notes[0].startswith(note)


def test_a_constant_image_gives_features_and_a_note(tmp_path: Path, mask: np.ndarray) -> None:
    case = write_case(tmp_path, "a", mask)
    sitk.WriteImage(image_of(np.full(SHAPE, 7, np.float32), (2, 2, 3)), str(case.images[1]))
    found = extract_case(case, paper_request())
    assert len(found.features) == 1456
    assert found.features["PET_original_firstorder_Mean"] == pytest.approx(7, abs=1e-5)
    assert "PET is 7 in the whole tumour, so its texture has no meaning" in found.notes
    assert not [c for c, value in found.features.items() if c.startswith("CT") and not math.isfinite(value)]


def replaced(case_file: Path, image: sitk.Image) -> None:
    sitk.WriteImage(image, str(case_file))


def test_voxels_that_are_no_numbers_are_found_in_other_formats_too(tmp_path: Path, mask: np.ndarray) -> None:
    case = write_case(tmp_path, "a", mask)
    _, pet = pet_ct(mask)
    pet[8, 6, 8] = np.nan
    file = tmp_path / "pet.mha"
    replaced(file, image_of(pet, (2, 2, 3)))
    with pytest.raises(ValueError, match="PET has 1 voxels that are not finite numbers"):
        extract_case(replace(case, images=(case.images[0], file)), quick_request())


def test_all_faults_of_a_case_are_reported_together(tmp_path: Path, mask: np.ndarray) -> None:
    case = write_case(tmp_path, "a", mask)
    _, pet = pet_ct(mask)
    pet[0, 0, :3] = [np.nan, np.inf, -np.inf]
    replaced(case.images[1], image_of(pet, (2, 2, 3)))
    replaced(case.mask, image_of(mask[:, :, 1:], (2, 2, 3)))
    with pytest.raises(
        ValueError,
        match="PET has 3 voxels that .*; the mask lies on another grid than CT: 17x20x16 voxels .*, not 18x",
    ):
        extract_case(case, quick_request())


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        (
            "spacing",
            "the mask lies on another grid than CT: .* voxels of 2x2x3.1 mm .*, not .* voxels of 2x2x3 mm",
        ),
        ("origin", r"the mask lies on another grid than CT: .* from \(-12.5, 8, .*, not .* from \(-12.5, 7,"),
        (
            "direction",
            r"the mask lies on another grid than CT: .* axes \(0, 1, 0, .*, not .* axes \(1, 0, 0,",
        ),
    ],
)
def test_a_mask_that_lies_elsewhere_is_refused(
    tmp_path: Path, mask: np.ndarray, what: str, sentence: str
) -> None:
    case = write_case(tmp_path, "a", mask)
    moved = sitk.ReadImage(str(case.mask))
    if what == "spacing":
        moved.SetSpacing((2, 2, 3.1))
    elif what == "origin":
        moved.SetOrigin((-12.5, 8.0, 100.25))
    else:
        moved.SetDirection((0, 1, 0, -1, 0, 0, 0, 0, 1))
    replaced(case.mask, moved)
    with pytest.raises(ValueError, match=sentence):
        extract_case(case, quick_request())


def test_coordinates_that_were_rounded_are_not_another_grid(tmp_path: Path, mask: np.ndarray) -> None:
    case = write_case(tmp_path, "a", mask)
    expected = extract_case(case, quick_request()).features
    moved = sitk.ReadImage(str(case.mask))
    moved.SetOrigin((-12.5001, 7.0, 100.25))
    replaced(case.mask, moved)
    assert extract_case(case, quick_request()).features == expected


def test_files_that_are_missing_damaged_or_flat_are_named(tmp_path: Path, mask: np.ndarray) -> None:
    case = write_case(tmp_path, "a", mask)
    case.images[1].write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"a_0001.nii.gz cannot be read as an image"):
        extract_case(case, quick_request())
    replaced(case.images[1], sitk.GetImageFromArray(np.zeros((9, 9), np.float32)))
    with pytest.raises(ValueError, match=r"a_0001.nii.gz has 2 axes and 1 values a voxel, expected 3 and 1"):
        extract_case(case, quick_request())
    case.images[0].unlink()
    case.mask.unlink()
    with pytest.raises(ValueError, match=r"a_0000.nii.gz does not exist; .*; .*a.nii.gz does not exist"):
        extract_case(case, quick_request())


def test_impossible_requests_are_refused() -> None:
    settings = RadiomicsSettings.read()
    with pytest.raises(ValueError, match="shell's thickness is 0 mm"):
        Extras(shell_mm=0)
    with pytest.raises(ValueError, match="each another, but there are: CT, CT"):
        RadiomicsRequest(("CT", "CT"), settings)
    with pytest.raises(ValueError, match="per label need the labels' names"):
        RadiomicsRequest(CHANNELS, settings, extras=Extras(per_label=True))
    with pytest.raises(ValueError, match="no channel_names"):
        RadiomicsRequest.from_dataset_json({"labels": {}}, settings, Extras())


def test_a_data_set_names_channels_and_labels() -> None:
    dataset_json = {
        "channel_names": {"1": "PET", "0": "CT"},
        "labels": {"background": 0, "whole tumour": [1, 2], "node": 2, "ignore": 3},
    }
    request = RadiomicsRequest.from_dataset_json(dataset_json, RadiomicsSettings.read(), Extras())
    assert request.channels == ("CT", "PET")
    assert request.labels == {"whole_tumour": (1, 2), "node": (2,)}
    assert request.ignore_label == 3


@pytest.mark.parametrize("ending", [".nii.gz", ".nii"])
@pytest.mark.parametrize("channel", [0, 1])
def test_an_image_that_was_cut_off_is_refused_though_its_reader_fills_it_with_zeros(
    tmp_path: Path, ending: str, channel: int
) -> None:
    case = write_case(tmp_path, "a", ball((16, 16, 16), (8, 8, 8), 5))
    whole = case.images[channel]
    file = whole.with_name(f"a_000{channel}{ending}")
    sitk.WriteImage(sitk.ReadImage(str(whole)), str(file))
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    images = [*case.images]
    images[channel] = file
    with pytest.raises(ValueError, match=r"a_000\d.nii(.gz)? is cut off or damaged"):
        extract_case(replace(case, images=tuple(images)), quick_request())
