"""Measures of lesions, of masks whose values are computed by hand."""

from math import log

import numpy as np
import pytest
import SimpleITK as sitk

from nnunetv2_adamss.common.images import Image
from nnunetv2_adamss.common.voxel_grid import VoxelGrid
from nnunetv2_adamss.tn_stages.lesion_measures import LesionMeasures, measure_case

# Voxels of 2 x 4 x 5 mm along x, y, z: 0.04 ml.
GRID = VoxelGrid((40, 30, 20), (2.0, 4.0, 5.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
SHAPE = (20, 30, 40)


def ct_of(grid: VoxelGrid = GRID) -> Image:
    """Air with a body of water from x = 10 to 29: its middle is between the voxels 19 and 20."""
    voxels = np.full(SHAPE, -1000.0)
    voxels[:, 5:25, 10:30] = 0
    return Image(voxels, grid)


def mask_of(*boxes: tuple[slice, slice, slice]) -> np.ndarray:
    mask = np.zeros(SHAPE, dtype=bool)
    for box in boxes:
        mask[box] = True
    return mask


RIGHT = np.s_[2:5, 10:13, 12:17]  # 3 x 3 x 5 voxels
LEFT = np.s_[8:10, 10:12, 22:26]  # 2 x 2 x 4 voxels


def test_number_volume_and_height_are_those_of_the_boxes() -> None:
    found = LesionMeasures.of(mask_of(RIGHT, LEFT), ct_of())
    assert found.n_lesions == 2
    assert found.volume_ml == pytest.approx(61 * 0.04)
    assert found.largest_ml == pytest.approx(45 * 0.04)
    assert found.height_mm == pytest.approx(7 * 5)


def test_the_diameter_is_the_diagonal_of_the_longest_lesion_not_the_distance_of_two() -> None:
    found = LesionMeasures.of(mask_of(RIGHT, LEFT), ct_of())
    assert found.diameter_mm == pytest.approx(np.linalg.norm([4 * 2, 2 * 4, 2 * 5]))


def test_a_large_ball_has_its_diameter() -> None:
    grid = VoxelGrid(GRID.size, (1.0, 1.0, 1.0), GRID.origin_mm, GRID.direction)
    distance = np.linalg.norm(np.indices(SHAPE) - np.array([10, 15, 20]).reshape(3, 1, 1, 1), axis=0)
    assert LesionMeasures.of(distance <= 8, ct_of(grid)).diameter_mm == 16


def test_a_large_flat_lesion_has_a_diameter() -> None:
    found = LesionMeasures.of(mask_of(np.s_[4, 5:25, 10:30]), ct_of())
    assert found.diameter_mm == pytest.approx(np.hypot(19 * 2, 19 * 4))


@pytest.mark.parametrize(("boxes", "share"), [((RIGHT,), 0.0), ((LEFT,), 0.0), ((RIGHT, LEFT), 16 / 61)])
def test_the_other_side_has_the_smaller_share_of_the_volume(boxes: tuple, share: float) -> None:
    assert LesionMeasures.of(mask_of(*boxes), ct_of()).other_side == pytest.approx(share)


def test_a_lesion_across_the_middle_lies_on_both_sides() -> None:
    assert LesionMeasures.of(mask_of(np.s_[4:6, 10:14, 18:22]), ct_of()).other_side == 0.5


def test_the_middle_is_that_of_the_slices_of_the_tumour() -> None:
    ct = ct_of()
    ct.voxels[:8] = -1000
    ct.voxels[:8, 5:25, :14] = 0  # below, the body lies further to the right: its middle is at 6.5
    assert LesionMeasures.of(mask_of(np.s_[2:5, 10:13, 4:9]), ct).other_side == pytest.approx(2 / 5)


@pytest.mark.parametrize("order", ["LPS", "RAS", "SAR"])
def test_measures_do_not_depend_on_how_a_file_stores_its_axes(order: str, tmp_path) -> None:
    mask = sitk.GetImageFromArray(mask_of(RIGHT, LEFT).astype(np.uint8))
    ct = ct_of().itk()
    mask.CopyInformation(ct)
    for name, image in (("ct", ct), ("mask", mask)):
        sitk.WriteImage(sitk.DICOMOrient(image, order), str(tmp_path / f"{name}.nii.gz"))
    found = measure_case(tmp_path / "mask.nii.gz", tmp_path / "ct.nii.gz", {"GTVn": [1]})
    assert found == pytest.approx(LesionMeasures.of(mask_of(RIGHT, LEFT), ct_of()).inputs("GTVn"), rel=1e-5)


def test_two_voxels_of_a_pet_are_no_lesion() -> None:
    assert LesionMeasures.of(mask_of(np.s_[4, 10, 12:14]), ct_of()) == LesionMeasures()
    assert LesionMeasures.of(mask_of(np.s_[4, 10, 12:15]), ct_of()).n_lesions == 1


def test_an_empty_mask_has_no_lesions_and_needs_no_body() -> None:
    air = Image(np.full(SHAPE, -1000.0), GRID)
    assert LesionMeasures.of(mask_of(), air) == LesionMeasures()
    with pytest.raises(ValueError, match="the CT shows no body at the tumour"):
        LesionMeasures.of(mask_of(RIGHT), air)


def test_every_label_or_region_has_its_own_measures(tmp_path) -> None:
    labels = mask_of(RIGHT).astype(np.uint8) + 2 * mask_of(LEFT).astype(np.uint8)
    mask, ct = sitk.GetImageFromArray(labels), ct_of().itk()
    mask.CopyInformation(ct)
    for name, image in (("ct", ct), ("mask", mask)):
        sitk.WriteImage(image, str(tmp_path / f"{name}.nii.gz"))
    found = measure_case(
        tmp_path / "mask.nii.gz", tmp_path / "ct.nii.gz", {"GTVp": [1], "GTVn": [2], "tumour": [1, 2]}
    )
    assert found["GTVp_log_ml"] == pytest.approx(log(1 + 45 * 0.04))
    assert found["GTVn_log_lesions"] == pytest.approx(log(2))
    assert found["tumour_log_lesions"] == pytest.approx(log(3))
    assert len(found) == 18
