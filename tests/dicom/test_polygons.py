"""Masks of polygons whose voxels are known without rasterising."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from nnunetv2_adamss.common.voxel_grid import VoxelGrid
from nnunetv2_adamss.dicom.polygons import Contours, rasterised, read_polygons
from tests.dicom.writer import Study, box

# Of 20 x 20 x 6 voxels: x from 10 mm in steps of 2, y from -5 in steps of 1, z from 100 in steps of 3.
GRID = VoxelGrid(
    (20, 20, 6), (2.0, 1.0, 3.0), (10.0, -5.0, 100.0), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
)
CONTOURS = list[list[tuple[float, float, float]]]


def mask_of(
    tmp_path: Path, contours: CONTOURS, grid: VoxelGrid = GRID, kind: str = "CLOSED_PLANAR"
) -> NDArray[np.uint8]:
    """The mask of one structure that is written and read again."""
    slices = Study(tmp_path).ct(np.zeros((3, 4, 4)), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    file = Study(tmp_path).structures({"other": [], "tumour": contours}, slices, kind=kind)
    return rasterised(read_polygons(file, [2]), {2: 1}, grid)[0]


def test_a_voxel_is_inside_if_its_centre_is(tmp_path: Path) -> None:
    """A triangle, of which three half planes say the same."""
    corners = np.array([(15.3, -3.2), (41.1, 1.7), (22.9, 12.4)])
    mask = mask_of(tmp_path, [[(x, y, 106.0) for x, y in corners]])
    x, y = np.meshgrid(10 + 2 * np.arange(20), -5 + np.arange(20))
    sides = []
    for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        sides.append((x2 - x1) * (y - y1) - (y2 - y1) * (x - x1) > 0)
    assert np.array_equal(mask[2], np.all(sides, axis=0))
    assert mask[2].sum() > 50
    assert not mask[[0, 1, 3, 4, 5]].any()


def test_a_contour_within_another_one_is_a_hole(tmp_path: Path) -> None:
    mask = mask_of(tmp_path, [box((13, 41), (-2.5, 10.5), 103.0), box((19, 31), (0.5, 5.5), 103.0)])
    expected = np.zeros((20, 20), bool)
    expected[3:16, 2:16] = True
    expected[6:11, 5:11] = False
    assert np.array_equal(mask[1], expected)


def test_a_keyhole_is_a_hole(tmp_path: Path) -> None:
    """One contour that goes in to the hole and out again along the same line."""
    outer, inner = box((13, 41), (-2.5, 10.5), 103.0), box((19, 31), (0.5, 5.5), 103.0)
    keyhole = [*outer, outer[0], inner[0], *reversed(inner), outer[0]]
    two = mask_of(tmp_path / "two", [outer, inner])
    assert np.array_equal(mask_of(tmp_path / "keyhole", [keyhole]), two)


def test_a_contour_within_a_hole_belongs_to_the_structure_again(tmp_path: Path) -> None:
    outer, hole, island = (
        box((13, 41), (-2.5, 10.5), 103.0), box((19, 31), (0.5, 5.5), 103.0), box((23, 27), (1.5, 3.5), 103.0)
    )  # fmt: skip
    mask = mask_of(tmp_path, [island, outer, hole])
    assert mask.sum() == 14 * 13 - 6 * 5 + 2 * 2
    assert mask[1, 7, 7] == 1


def test_a_contour_that_was_drawn_twice_counts_once(tmp_path: Path) -> None:
    contour = box((13, 41), (-2.5, 10.5), 103.0)
    mask = mask_of(tmp_path, [contour, [*contour[2:], *contour[:2]]])
    assert mask.sum() == 14 * 13


def test_contours_that_overlap_in_part_are_joined_and_a_hole_in_both_stays_one(tmp_path: Path) -> None:
    """Columns 2 to 10 and 5 to 15, with a hole in columns 7 and 8."""
    one, other = box((13, 31), (-2.5, 5.5), 103.0), box((19, 41), (-2.5, 5.5), 103.0)
    joined = mask_of(tmp_path / "joined", [one, other])
    assert joined[1].sum(axis=0).tolist() == [0] * 2 + [8] * 14 + [0] * 4
    holed = mask_of(tmp_path / "holed", [one, other, box((23, 27), (-0.5, 2.5), 103.0)])
    assert holed[1].sum(axis=0).tolist() == [0] * 2 + [8] * 5 + [5] * 2 + [8] * 7 + [0] * 4


def test_contours_of_the_type_xor_lose_their_overlap(tmp_path: Path) -> None:
    contours = [box((13, 31), (-2.5, 5.5), 103.0), box((19, 41), (-2.5, 5.5), 103.0)]
    mask = mask_of(tmp_path, contours, kind="CLOSEDPLANAR_XOR")
    assert mask[1].sum(axis=0).tolist() == [0] * 2 + [8] * 3 + [0] * 6 + [8] * 5 + [0] * 4


def test_slices_between_contours_take_the_nearest_one(tmp_path: Path) -> None:
    """Contours every 6 mm on slices of 3 mm, and every 1 mm."""
    sparse = mask_of(tmp_path / "sparse", [box((13, 31), (-2.5, 5.5), z) for z in (100.0, 106.0, 112.0)])
    assert sparse.any(axis=(1, 2)).tolist() == [True] * 6
    dense = mask_of(tmp_path / "dense", [box((13, 31), (-2.5, 5.5), z) for z in np.arange(102.0, 110.0)])
    assert dense.any(axis=(1, 2)).tolist() == [False, True, True, True, False, False]


def test_two_lesions_are_not_joined(tmp_path: Path) -> None:
    mask = mask_of(tmp_path, [box((13, 31), (-2.5, 5.5), z) for z in (100.0, 103.0, 112.0, 115.0)])
    assert mask.any(axis=(1, 2)).tolist() == [True, True, False, False, True, True]


def test_a_skipped_contour_is_filled_by_its_neighbours() -> None:
    """In every slice, then in every second; the usual distance is 1.5 slices."""
    assert filled_slices((0, 1, 2, 3, 5, 7, 9), n_slices=11) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert filled_slices((0, 1, 3, 4), n_slices=6) == [0, 1, 2, 3, 4]


def test_a_gap_is_not_filled_between_contours_that_do_not_overlap_or_are_too_far_apart() -> None:
    assert filled_slices((0, 1, 3, 4), n_slices=6, shifted_from=2) == [0, 1, 3, 4]
    twelve_mm_apart = filled_slices((0, 2, 6, 8), n_slices=9)
    assert twelve_mm_apart == [0, 1, 2, 3, 5, 6, 7, 8]


def filled_slices(planes: Sequence[int], n_slices: int, shifted_from: int = 99) -> list[int]:
    """Slices of the mask of equal contours in some slices; those from one plane on lie elsewhere."""
    grid = replace(GRID, size=(20, 20, n_slices))
    corners = np.array([(2, 2), (6, 2), (6, 6), (2, 6)])
    contours = [
        grid.points(np.column_stack([corners + 10 * (plane >= shifted_from), np.full(4, plane)]))
        for plane in planes
    ]
    mask, _ = rasterised({1: Contours(contours)}, {1: 1}, grid)
    return [int(z) for z in np.flatnonzero(mask.any(axis=(1, 2)))]


def test_what_lies_outside_is_cut_off_and_said(tmp_path: Path) -> None:
    contours = {
        1: Contours(
            [np.array(box((-50, 13), (-2.5, 5.5), 103.0)), np.array(box((13, 31), (-2.5, 5.5), 300.0))]
        )
    }
    mask, warnings = rasterised(contours, {1: 1}, GRID)
    assert np.flatnonzero(mask.any(axis=(1, 2))).tolist() == [1]
    assert (mask > 0).sum() == 2 * 8
    assert warnings == ["1 of 2 contours lie outside of the scan"]
    with pytest.raises(ValueError, match="all its contours lie outside"):
        rasterised({1: Contours(contours[1].points[1:])}, {1: 1}, GRID)


def test_oblique_scans_have_their_contours_turned_back(tmp_path: Path) -> None:
    turned = VoxelGrid(
        GRID.size, GRID.spacing_mm, GRID.origin_mm, (1.0, 0.0, 0.0, 0.0, 0.8, -0.6, 0.0, 0.6, 0.8)
    )
    indices = np.array([(2.5, 3.5, 2.0), (10.5, 3.5, 2.0), (10.5, 9.5, 2.0), (2.5, 9.5, 2.0)])
    mask = mask_of(tmp_path, [[tuple(point) for point in turned.points(indices)]], turned)
    expected = np.zeros((6, 20, 20), bool)
    expected[2, 4:10, 3:11] = True
    assert np.array_equal(mask > 0, expected)


def test_contours_across_slices_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not parallel to the slices"):
        mask_of(tmp_path, [[(15, 0, 100.0), (31, 0, 100.0), (31, 0, 110.0)]])


def test_a_structure_without_contours_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no closed contour"):
        mask_of(tmp_path, [])


def test_the_later_of_two_labels_counts_where_they_overlap() -> None:
    contours = {
        1: Contours([np.array(box((13, 31), (-2.5, 5.5), 103.0))]),
        2: Contours([np.array(box((19, 41), (-2.5, 5.5), 103.0))]),
    }
    mask, _ = rasterised(contours, {1: 1, 2: 2}, GRID)
    assert [int((mask == value).sum()) for value in (1, 2)] == [3 * 8, 11 * 8]
