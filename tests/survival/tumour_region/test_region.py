"""The region around the tumour: size, centre, padding, and where it lies in nnU-Net's preprocessed data."""

import numpy as np
import pytest
from nnunetv2.preprocessing.preprocessors.default_preprocessor import DefaultPreprocessor
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

from nnunetv2_adamss.survival.tumour_region.case_regions import locate_region
from nnunetv2_adamss.survival.tumour_region.preprocessed_grid import PreprocessedGrid
from nnunetv2_adamss.survival.tumour_region.region import (
    Region,
    crop_size,
    read_region,
    read_within_image,
    region_around,
    region_size,
    share_in_region,
    tumour_centre,
)
from tests.nnunet_project import NnunetProject, read_plans

SAME_GRID = PreprocessedGrid((0, 1, 2), np.zeros(3), np.ones(3), (100, 100, 100))


def test_the_papers_voxels_give_the_papers_160_and_112() -> None:
    assert region_size([1, 1, 1], [16, 16, 16]) == (160, 160, 160)
    assert crop_size([1, 1, 1], [16, 16, 16]) == (112, 112, 112)


def test_sides_are_rounded_up_to_what_the_strides_divide() -> None:
    assert region_size([5.46875, 3.27, 5.46875], [4, 4, 4]) == (32, 52, 32)  # 29.3, 48.9, 29.3
    assert crop_size([5.46875, 3.27, 5.46875], [4, 4, 4]) == (24, 36, 24)  # 20.5, 34.3, 20.5
    assert region_size([0.1, 2, 3], [1, 8, 1]) == (1600, 80, 54)


def test_the_centre_is_that_of_the_bounding_box_not_of_mass() -> None:
    mask = np.zeros((10, 20, 20), dtype=bool)
    mask[2:6, 4, 4] = True
    mask[2, 4:14, 4] = True
    assert tumour_centre(mask).tolist() == [4.0, 9.0, 4.5]


def test_components_under_a_tenth_of_the_largest_do_not_move_the_centre() -> None:
    mask = np.zeros((40, 40, 40), dtype=bool)
    mask[10:20, 10:20, 10:20] = True  # 1,000 voxels
    mask[35, 35, :40] = True  # 40 voxels
    assert tumour_centre(mask).tolist() == [15, 15, 15]
    mask[35] = False
    mask[30:35, 30:35, 30:34] = True  # 100 voxels, just a tenth
    assert tumour_centre(mask).tolist() == [22.5, 22.5, 22]


def test_a_small_component_before_the_largest_does_not_move_the_centre_either() -> None:
    mask = np.zeros((40, 40, 40), dtype=bool)
    mask[2, 3, :5] = True  # 5 voxels
    mask[10:20, 10:20, 10:20] = True  # 1,000 voxels
    assert tumour_centre(mask).tolist() == [15, 15, 15]


def test_voxels_that_touch_at_a_corner_are_one_component() -> None:
    mask = np.zeros((30, 30, 30), dtype=bool)
    np.einsum("iii->i", mask)[:] = True
    assert tumour_centre(mask).tolist() == [15, 15, 15]


def test_an_empty_mask_has_no_centre() -> None:
    assert tumour_centre(np.zeros((4, 4, 4), dtype=bool)) is None


def test_without_a_tumour_the_region_lies_around_the_likeliest_point() -> None:
    empty = np.zeros((100, 100, 100), dtype=bool)
    found = locate_region(empty, lambda: np.array([30.5, 40.5, 50.5]), SAME_GRID, (10, 10, 10))
    assert found.region == Region((26, 36, 46), (10, 10, 10))
    assert not found.tumour_found
    assert found.share_of_mask == 1


def test_the_share_of_the_tumour_in_the_region_is_counted_by_voxels() -> None:
    mask = np.zeros((100, 100, 100), dtype=bool)
    mask[10:90, 50, 50] = True
    assert share_in_region(mask, SAME_GRID, Region((20, 40, 40), (40, 20, 20))) == 0.5


def test_a_voxel_lies_in_the_region_if_its_centre_does() -> None:
    mask = np.zeros((100, 100, 100), dtype=bool)
    mask[10:20, 50, 50] = True
    assert share_in_region(mask, SAME_GRID, Region((15, 40, 40), (40, 20, 20))) == 0.5
    assert share_in_region(mask, SAME_GRID, Region((0, 40, 40), (13, 20, 20))) == 0.3
    # Two image voxels a preprocessed one: from 12 to 18.
    coarse = PreprocessedGrid((0, 1, 2), np.zeros(3), np.array([0.5, 1, 1]), (50, 100, 100))
    assert share_in_region(mask, coarse, Region((6, 40, 40), (3, 20, 20))) == 0.6


@pytest.mark.parametrize("start", [(-3, 2, 0), (5, 5, 5), (8, -4, 9)])
def test_what_leaves_the_image_is_zero_and_marked_as_padding(start: tuple[int, int, int]) -> None:
    image = np.random.default_rng(0).uniform(1, 2, (2, 10, 10, 10)).astype(np.float32)
    found, valid = read_region(image, Region(start, (8, 8, 8)))
    padded = np.pad(image, [(0, 0)] + [(10, 20)] * 3)
    window = tuple(slice(s + 10, s + 18) for s in start)
    np.testing.assert_array_equal(found, padded[(slice(None), *window)])
    np.testing.assert_array_equal(valid[0] == 1, found[0] > 0)


def test_a_region_larger_than_the_image_holds_all_of_it() -> None:
    image = np.ones((1, 3, 4, 5), dtype=np.float32)
    found, valid = read_region(image, Region((-2, -2, -2), (16, 16, 16)))
    assert found.sum() == valid.sum() == image.size


def test_only_the_part_in_the_image_is_predicted_rounded_up_to_the_strides() -> None:
    image = np.arange(100 * 20 * 100, dtype=np.float32).reshape(1, 100, 20, 100) + 1
    found, valid = read_within_image(image, Region((-5, 2, 90), (32, 32, 32)), (4, 4, 8))
    assert found.shape == (1, 28, 20, 16)
    # 27 of 28, 18 of 20 and 10 of 16 voxels are both in the image and in the region.
    assert valid.sum() == valid[0, :27, :18, :10].sum() == 27 * 18 * 10
    np.testing.assert_array_equal(found[0, :27, :18, :10], image[0, :27, 2:20, 90:])
    # Rounding up took one more slice of the image, as context that does not count.
    np.testing.assert_array_equal(found[0, 27, :18, :10], image[0, 27, 2:20, 90:])


def test_a_region_inside_the_image_is_read_as_it_is() -> None:
    image = np.random.default_rng(0).normal(size=(2, 50, 50, 50)).astype(np.float32)
    region = Region((5, 6, 7), (32, 32, 32))
    for found, expected in zip(
        read_within_image(image, region, (4, 4, 4)), read_region(image, region), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


def test_a_centre_in_what_nnunet_cropped_away_moves_to_the_edge_of_the_image() -> None:
    grid = PreprocessedGrid((0, 1, 2), np.array([20.0, 0, 0]), np.ones(3), (10, 10, 10))
    assert region_around(np.array([2.0, 5, 5]), grid, (4, 4, 4)).start == (-2, 3, 3)


@pytest.mark.parametrize("transpose", [[0, 1, 2], [1, 0, 2], [2, 0, 1]])
def test_a_point_is_found_again_after_nnunets_transpose_crop_and_resampling(
    tiny_project: NnunetProject, transpose: list[int]
) -> None:
    plans = read_plans(tiny_project)
    plans["transpose_forward"] = transpose
    plans["transpose_backward"] = np.argsort(transpose).tolist()
    plans["configurations"]["3d_fullres"]["spacing"] = [1.5, 0.8, 2.1]
    manager = PlansManager(plans)
    # A ball in a body that fills a corner of the image, so that nnU-Net's crop cuts on one side of each axis.
    centre = np.array([22.0, 18.0, 27.0])
    body = np.zeros((40, 36, 50), dtype=np.float32)
    body[6:, 4:, 9:] = 1
    ball = np.linalg.norm(np.indices(body.shape) + 0.5 - centre[:, None, None, None], axis=0) < 6
    images = np.stack([body + ball, body + 5 * ball])
    properties = {"spacing": [2.0, 1.0, 1.4]}
    seg = ball[None].astype(np.int8)
    dataset_json = {"labels": {"background": 0, "tumour": 1}, "channel_names": {"0": "CT", "1": "PET"}}
    data, resampled, properties = DefaultPreprocessor(verbose=False).run_case_npy(
        images, seg, properties, manager, manager.get_configuration("3d_fullres"), dataset_json
    )

    grid = PreprocessedGrid.of_case(properties, transpose, data.shape[1:])
    # The resampled label's own centre, measured in the preprocessed data.
    expected = tumour_centre(resampled[0] == 1)
    np.testing.assert_allclose(grid.from_image(tumour_centre(ball)), expected, atol=0.5)
    np.testing.assert_allclose(grid.to_image(grid.from_image(centre)), centre, atol=1e-9)

    region = locate_region(ball, lambda: centre, grid, (40, 40, 40)).region
    np.testing.assert_allclose(np.add(region.start, 20), expected, atol=1)
    assert share_in_region(ball, grid, region) == 1
    crop, valid = read_region(data, region)
    assert valid.sum() > 0
    assert crop[1].max() == data[1].max()
