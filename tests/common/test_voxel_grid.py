"""When two grids are the same voxels in the same place, and how the axes of one become those of the other."""

import itertools
from dataclasses import replace

import nibabel
import numpy as np
import pytest
from nibabel.orientations import axcodes2ornt, ornt_transform

from nnunetv2_adamss.common.voxel_grid import GRID_TOLERANCE, VoxelGrid

SIZE, SPACING_MM, ORIGIN_MM = (4, 5, 6), (1.5, 2.0, 3.0), (-30.0, 12.0, 7.5)
STRAIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
GRID = VoxelGrid(SIZE, SPACING_MM, ORIGIN_MM, STRAIGHT)
# All 48 ways in which a file may store one place.
ORIENTATIONS = [
    "".join(codes)
    for axes in itertools.permutations(("RL", "AP", "SI"))
    for codes in itertools.product(*axes)
]


def rotated(grid: VoxelGrid, degrees: float) -> VoxelGrid:
    """The grid turned around its last axis."""
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    return replace(grid, direction=tuple((turn @ grid.axes).ravel().tolist()))


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("degrees", [0, 20])
def test_voxels_get_the_axes_of_another_image_as_nibabel_would_turn_them(
    orientation: str, degrees: float
) -> None:
    grid = rotated(GRID, degrees)
    voxels = np.random.default_rng(0).normal(size=SIZE)
    image = nibabel.Nifti1Image(voxels, grid.affine)
    turned = image.as_reoriented(
        ornt_transform(nibabel.io_orientation(image.affine), axcodes2ornt(orientation))
    )
    stored = VoxelGrid.of_affine(turned.shape, turned.affine)
    change = stored.axis_change_to(grid)
    assert change is not None and change.is_identity == (turned.affine == image.affine).all()
    np.testing.assert_array_equal(change.apply(np.asarray(turned.dataobj).T), voxels.T)


def test_an_affine_and_its_grid_say_the_same() -> None:
    affine = np.array([[0, -2, 0, 5], [1.5, 0, 0, -7], [0, 0, 3, 11], [0, 0, 0, 1.0]])
    grid = VoxelGrid.of_affine(SIZE, affine)
    assert grid.spacing_mm == (1.5, 2, 3)
    np.testing.assert_allclose(grid.affine, affine, atol=1e-12)
    # By hand: the voxel (1, 2, 3) lies at RAS (5 - 4, -7 + 1.5, 11 + 9), and LPS has the first two negative.
    np.testing.assert_allclose(grid.points(np.array([[1, 2, 3]])), [[-1, 5.5, 20]])


@pytest.mark.parametrize("axis", range(3))
def test_a_shift_within_the_tolerance_is_the_same_place_and_one_beyond_is_not(axis: int) -> None:
    def shifted(voxels: float) -> VoxelGrid:
        origin = list(ORIGIN_MM)
        origin[axis] += voxels * SPACING_MM[axis]
        return replace(GRID, origin_mm=tuple(origin))

    for voxels in (0.004, 0.99 * GRID_TOLERANCE):
        assert shifted(voxels).axis_change_to(GRID) == ((0, 1, 2), (False, False, False))
    for voxels in (1.01 * GRID_TOLERANCE, 0.5, 1.0):
        assert shifted(voxels).axis_change_to(GRID) is None


def test_the_far_corner_counts_so_a_small_error_of_spacing_is_too_much_for_many_voxels() -> None:
    for n_voxels, is_same in ((40, True), (400, False)):
        long = replace(GRID, size=(n_voxels, 5, 6))
        stretched = replace(long, spacing_mm=(1.5 * 1.0005, 2.0, 3.0))
        assert (stretched.axis_change_to(long) is not None) == is_same


def test_other_sizes_other_angles_and_a_mirrored_place_are_other_grids() -> None:
    assert replace(GRID, size=(4, 5, 7)).axis_change_to(GRID) is None
    assert rotated(GRID, 3).axis_change_to(GRID) is None
    # The same header but for one axis that runs the other way: another place, not the same in other axes.
    assert replace(GRID, direction=(-1.0, *STRAIGHT[1:])).axis_change_to(GRID) is None


def test_axes_are_put_at_right_angles_only_where_they_are_not() -> None:
    assert GRID.at_right_angles() is GRID
    tilted = replace(GRID, direction=(1.0, 0.0, 0.1, 0.0, 1.0, 0.0, 0.0, 0.0, float(np.sqrt(1 - 0.01))))
    axes = tilted.at_right_angles().axes
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-12)
    assert tilted.distance_in_voxels(tilted.at_right_angles()) > GRID_TOLERANCE
