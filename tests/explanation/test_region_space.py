"""A map of the region comes back to where it was in the image, through all that nnU-Net does to an image."""

import numpy as np
import pytest
from nnunetv2.preprocessing.preprocessors.default_preprocessor import DefaultPreprocessor
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager
from numpy.typing import NDArray

from nnunetv2_adamss.explanation.region_space import RegionSpace
from nnunetv2_adamss.survival.tumour_region.preprocessed_grid import PreprocessedGrid
from nnunetv2_adamss.survival.tumour_region.region import Region, read_within_image, region_around
from tests.nnunet_project import NnunetProject, read_plans

SHAPE = (40, 36, 50)
DATASET_JSON = {"labels": {"background": 0, "tumour": 1}, "channel_names": {"0": "a", "1": "b", "2": "c"}}


def preprocessed(
    project: NnunetProject, images: NDArray[np.float32], transpose: list[int]
) -> tuple[NDArray[np.float32], PreprocessedGrid]:
    """nnU-Net's transposed, cropped and resampled image, to voxels of another shape."""
    plans = read_plans(project)
    plans["transpose_forward"] = transpose
    plans["transpose_backward"] = np.argsort(transpose).tolist()
    plans["configurations"]["3d_fullres"]["spacing"] = [1.5, 0.8, 2.1]
    plans["configurations"]["3d_fullres"]["normalization_schemes"] = ["NoNormalization"] * 3
    plans["foreground_intensity_properties_per_channel"]["2"] = {}
    plans["configurations"]["3d_fullres"]["use_mask_for_norm"] = [False] * 3
    manager = PlansManager(plans)
    data, _, properties = DefaultPreprocessor(verbose=False).run_case_npy(
        images,
        None,
        {"spacing": [2.0, 1.0, 1.4]},
        manager,
        manager.get_configuration("3d_fullres"),
        DATASET_JSON,
    )
    return data, PreprocessedGrid.of_case(properties, transpose, data.shape[1:])


@pytest.mark.parametrize("transpose", [[0, 1, 2], [1, 0, 2], [2, 0, 1], [1, 2, 0]])
@pytest.mark.parametrize("centre", [(20.0, 18.0, 27.0), (36.0, 6.0, 45.0)], ids=["inside", "at a corner"])
def test_what_is_at_a_place_of_the_region_lands_at_that_place_of_the_image(
    tiny_project: NnunetProject, transpose: list[int], centre: tuple[float, ...]
) -> None:
    # Each channel says where it is along one axis of the image; linear maps survive linear interpolation.
    body = np.zeros(SHAPE, dtype=np.float32)
    body[6:, 4:, 9:] = 1  # nnU-Net crops what is zero in all channels
    images = (np.indices(SHAPE) + 1).astype(np.float32) * body
    data, grid = preprocessed(tiny_project, images, transpose)
    region = region_around(np.array(centre), grid, (24, 24, 16))
    image, valid = read_within_image(data, region, (8, 8, 8))
    space = RegionSpace(grid, region.within(data.shape[1:]), SHAPE)

    box = space.box
    for stride in ((1, 1, 1), (2, 2, 2), (4, 2, 1)):
        sides = [n for side, step in zip(image.shape[1:], stride, strict=True) for n in (side // step, step)]
        coarse = [part.reshape(sides).mean(axis=(1, 3, 5)) for part in (*image, valid[0])]
        # To interpolate needs image on both sides: neither the map's border nor what holds padding.
        has_neighbours = np.pad(coarse[-1][1:-1, 1:-1, 1:-1], 1) == 1
        compared = space.in_box(has_neighbours, stride) > 0.999
        assert compared.sum() > 200
        for axis in range(3):
            found, expected = space.in_box(coarse[axis], stride), images[axis][box]
            np.testing.assert_allclose(found[compared], expected[compared], atol=0.15)


def test_the_box_holds_the_voxels_whose_centres_lie_in_the_region() -> None:
    # Preprocessed voxels are half an image's voxel; axes 0 and 1 are swapped; 3 voxels were cropped on one side.
    grid = PreprocessedGrid((1, 0, 2), np.array([3.0, 0, 0]), np.array([2.0, 2, 2]), (20, 20, 20))
    space = RegionSpace(grid, Region((4, 3, 0), (6, 6, 20)), (12, 14, 10))
    # Axis 0 of the image is axis 1 of the grid: 3 to 9 halves is 1.5 to 4.5, with the centres 1.5, 2.5 and 3.5.
    # Axis 1 is axis 0: 4 to 10 halves after 3 voxels is 5 to 8.
    assert space.box == (slice(1, 4), slice(5, 8), slice(0, 10))


def test_a_map_on_the_same_grid_is_pasted_unchanged_and_is_zero_elsewhere() -> None:
    grid = PreprocessedGrid((0, 1, 2), np.zeros(3), np.ones(3), (9, 8, 7))
    space = RegionSpace(grid, Region((2, 3, 4), (3, 3, 3)), (9, 8, 7))
    values = (
        np.random.default_rng(0).normal(size=(4, 4, 4)).astype(np.float32)
    )  # one voxel more, for the strides
    image = space.in_image(space.in_box(values, (1, 1, 1)))
    np.testing.assert_allclose(image[2:5, 3:6, 4:7], values[:3, :3, :3], atol=1e-6)
    assert np.count_nonzero(image) == 27
