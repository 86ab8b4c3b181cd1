"""Lesions and shell, on masks small enough to count by hand."""

import numpy as np
import pytest

from nnunetv2_adamss.radiomics.crop import Box
from nnunetv2_adamss.radiomics.regions import lesion_spread_mm, lesions_of, shell_around
from tests.radiomics.phantoms import ball


def test_lesions_are_what_does_not_touch_and_the_largest_comes_first() -> None:
    tumour = np.zeros((6, 6, 6), dtype=bool)
    tumour[0, 0, 0] = tumour[1, 1, 1] = True  # touch at a corner
    tumour[4, 2:5, 4] = True
    assert [int(lesion.sum()) for lesion in lesions_of(tumour)] == [3, 2]


def test_the_spread_is_the_largest_distance_of_centres_in_millimetres() -> None:
    lesions = [np.zeros((9, 9, 9), dtype=bool) for _ in range(3)]
    lesions[0][0, 0, 0:3] = True  # centre 0, 0, 1
    lesions[1][0, 4, 1] = True
    lesions[2][3, 0, 1] = True
    # 3 x 5 mm along the first axis and 4 x 2 mm along the second.
    assert lesion_spread_mm(lesions, (5, 2, 1)) == pytest.approx(np.hypot(15, 8))
    assert lesion_spread_mm(lesions[:1], (5, 2, 1)) == 0


def test_a_shell_is_what_is_outside_but_near_in_millimetres() -> None:
    tumour = np.zeros((7, 7, 7), dtype=bool)
    tumour[3, 3, 3] = True
    # 2 mm along the first axis: one voxel; along the others two each way, and diagonals up to sqrt(2).
    expected = np.zeros_like(tumour)
    z, y, x = np.indices(tumour.shape) - 3
    expected[(2 * z) ** 2 + y**2 + x**2 <= 4] = True
    expected[3, 3, 3] = False
    assert np.array_equal(shell_around(tumour, 2, (2, 1, 1)), expected)


def test_a_shell_ends_at_the_image() -> None:
    tumour = ball((12, 12, 12), (1, 6, 6), 3)
    shell = shell_around(tumour, 4, (1, 1, 1))
    assert shell.any()
    assert not (shell & tumour).any()


def test_a_box_holds_the_region_in_simpleitks_order_of_axes() -> None:
    region = np.zeros((10, 11, 12), dtype=bool)
    region[2, 3:6, 4] = region[7, 3, 9] = True
    box = Box.around(region)
    assert (box.start, box.stop) == ((4, 3, 2), (10, 6, 8))
    grown = box.grown((5, 1, 4), (12, 11, 10))
    assert (grown.start, grown.stop) == ((0, 2, 0), (12, 7, 10))
