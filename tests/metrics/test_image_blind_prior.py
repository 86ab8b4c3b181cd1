"""The image-blind prior, against cases whose answer is plain."""

import math

import numpy as np
import pytest

from nnunetv2_adamss.metrics.image_blind_prior import ImageBlindPrior, dice


def box(shape: tuple[int, int, int], start: int, stop: int) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[start:stop, start:stop, start:stop] = True
    return mask


def test_dice_of_hand_counted_masks() -> None:
    first, second = np.array([True, True, False, False]), np.array([False, True, True, True])
    assert dice(first, second) == pytest.approx(2 * 1 / (2 + 3))
    assert dice(first, first) == 1.0
    assert math.isnan(dice(np.zeros(3, bool), np.zeros(3, bool)))


def test_equal_training_masks_are_predicted_as_they_are() -> None:
    mask = box((8, 8, 8), 2, 6)
    assert np.array_equal(ImageBlindPrior([mask, mask]).predict(mask.shape), mask)


def test_another_image_size_gets_the_same_place_in_its_frame() -> None:
    prior = ImageBlindPrior([box((8, 8, 8), 2, 6)])
    assert dice(prior.predict((16, 16, 16)), box((16, 16, 16), 4, 12)) > 0.9


def test_the_threshold_is_the_one_that_suits_the_training_masks_best() -> None:
    common, rare = box((9, 9, 9), 3, 6), box((9, 9, 9), 0, 3)
    prediction = ImageBlindPrior([common, common, common, common | rare]).predict((9, 9, 9))
    assert np.array_equal(prediction, common)


def test_no_training_mask_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one training mask"):
        ImageBlindPrior([])


def test_on_the_real_boxes_it_scores_what_their_description_says(real_data) -> None:  # type: ignore[no-untyped-def]
    from nnunetv2_adamss.metrics.image_blind_prior import read_foreground

    labels = sorted((real_data / "Dataset510_STS" / "labelsTr").glob("*.nii.gz"))
    masks = [read_foreground(path) for path in labels]
    prior = ImageBlindPrior(masks)
    # data/SOURCES.md: 0.41 on the cases that it was made from.
    assert np.mean([dice(m, prior.predict(m.shape)) for m in masks]) == pytest.approx(0.41, abs=0.02)


def test_a_voxel_at_the_border_of_the_frame_becomes_as_many_as_the_image_is_larger() -> None:
    border = np.zeros((4, 4, 4), bool)
    border[:1] = True
    prediction = ImageBlindPrior([border]).predict((12, 4, 8))
    # A quarter of the frame: three of twelve slices. The other axes keep all.
    assert np.array_equal(prediction, np.broadcast_to((np.arange(12) < 3)[:, None, None], (12, 4, 8)))
