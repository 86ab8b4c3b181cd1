"""Parts of a mask that do not touch."""

import numpy as np
from scipy import ndimage

from nnunetv2_adamss.metrics.lesions_of_mask import find_lesions


def test_voxels_that_share_a_corner_are_one_lesion_and_the_largest_comes_first() -> None:
    mask = np.zeros((6, 6, 6), bool)
    mask[0, 0, 0] = True
    mask[3, 3, 3] = mask[4, 4, 4] = mask[4, 4, 5] = True
    first, second = find_lesions(mask)
    assert {tuple(voxel) for voxel in first} == {(3, 3, 3), (4, 4, 4), (4, 4, 5)}
    assert second.tolist() == [[0, 0, 0]]


def test_an_empty_mask_has_no_lesion() -> None:
    assert find_lesions(np.zeros((3, 3, 3), bool)) == []


def test_every_voxel_is_in_one_lesion_of_a_ragged_mask() -> None:
    mask = np.random.default_rng(0).random((12, 13, 14)) > 0.93
    lesions = find_lesions(mask)
    labels, n = ndimage.label(mask, ndimage.generate_binary_structure(3, 3))
    assert sorted(map(len, lesions)) == sorted(np.bincount(labels.ravel())[1:])
    assert len(lesions) == n
    filled = np.zeros_like(mask)
    for voxels in lesions:
        filled[tuple(voxels.T)] = True
    np.testing.assert_array_equal(filled, mask)
