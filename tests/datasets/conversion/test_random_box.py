"""Boxes of one size at random places: what they must not give away."""

import numpy as np
import pytest

from nnunetv2_adamss.common.voxel_grid import VoxelGrid
from nnunetv2_adamss.datasets.conversion.random_box import random_box

GRID = VoxelGrid(
    (40, 38, 50), (4.6875, 4.6875, 3.27), (110.0, -50.0, -270.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0)
)
CENTROID = tuple(GRID.points(np.array([[20.0, 18.0, 24.0]]))[0].tolist())


def boxes(n: int = 300) -> list[VoxelGrid]:
    return [random_box(GRID, CENTROID, 130, f"case_{i}", seed=0) for i in range(n)]


def test_boxes_have_the_size_of_the_published_data_set_and_hold_the_tumour() -> None:
    for box in boxes():
        assert box.size == (27, 27, 39)  # as STS_008 in Dataset510_STS, which has these voxels
        first, last = box.corners().min(axis=0), box.corners().max(axis=0)
        assert (np.array(CENTROID) - first >= 25 - 1e-9).all()
        assert (last - CENTROID >= 25 - 1e-9).all()
        start = box.start_in(GRID)
        assert start is not None


def test_the_tumour_is_anywhere_in_the_box() -> None:
    places = np.array([box.indices(np.array([CENTROID]))[0] for box in boxes()])
    for axis, (lowest, highest) in enumerate(zip(places.min(axis=0), places.max(axis=0), strict=True)):
        free = min(GRID.size[axis] - (27, 27, 39)[axis], (27, 27, 39)[axis] - 2 * 25 / GRID.spacing_mm[axis])
        assert highest - lowest > 0.8 * free


def test_a_place_depends_on_case_and_seed_alone() -> None:
    assert random_box(GRID, CENTROID, 130, "a", 0) == random_box(GRID, CENTROID, 130, "a", 0)
    assert random_box(GRID, CENTROID, 130, "a", 0) != random_box(GRID, CENTROID, 130, "a", 1)
    assert random_box(GRID, CENTROID, 130, "a", 0) != random_box(GRID, CENTROID, 130, "b", 0)


def test_an_image_smaller_than_the_box_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"188 x 178 x 164 mm, are smaller than the box of 170 mm"):
        random_box(GRID, CENTROID, 170, "a", 0)


def test_a_tumour_at_the_edge_of_the_image_is_an_error() -> None:
    edge = tuple(GRID.points(np.array([[1.0, 18.0, 24.0]]))[0].tolist())
    with pytest.raises(ValueError, match="25 mm inside"):
        random_box(GRID, edge, 130, "a", 0)
