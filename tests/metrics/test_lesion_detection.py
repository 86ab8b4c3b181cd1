"""Lesions drawn by hand, whose overlaps are fractions of a few voxels."""

import numpy as np
import pytest

from nnunetv2_adamss.metrics.lesion_detection import LesionDetection, count_lesions


def row(*lengths: int) -> np.ndarray:
    """A mask of one row: lengths of tumour and of what is between them, in turn, beginning with tumour."""
    values = np.arange(len(lengths)) % 2 == 0
    return np.repeat(values, lengths)[None, None]


def test_found_false_and_missed_lesions_are_counted() -> None:
    reference = row(4, 2, 3, 2, 5, 4)
    predicted = row(3, 3, 0, 5, 5, 2, 2)
    assert count_lesions(predicted, reference) == (2, 1, 1)


@pytest.mark.parametrize(("n_common", "n_found"), [(6, 0), (7, 1)])
def test_a_lesion_is_found_if_more_than_thirty_percent_of_the_union_are_common(
    n_common: int, n_found: int
) -> None:
    """Of a lesion of 20 voxels, 6 are 30%, which is not more."""
    predicted, reference = row(n_common, 20 - n_common), row(20)
    assert count_lesions(predicted, reference) == (n_found, 1 - n_found, 1 - n_found)


def test_a_prediction_over_two_lesions_finds_one_of_them() -> None:
    """It shares 5 of 11 voxels with each."""
    assert count_lesions(row(11), row(5, 1, 5)) == (1, 0, 1)


def test_a_lesion_in_two_parts_is_found_once() -> None:
    assert count_lesions(row(5, 1, 5), row(11)) == (1, 1, 0)


def test_lesions_are_paired_so_that_most_are_found() -> None:
    """The large prediction overlaps the first lesion most (12 of 29), but the small one finds it too (7 of 20)."""
    assert count_lesions(row(7, 1, 21), row(20, 1, 8)) == (2, 0, 0)


def test_masks_without_a_lesion_have_nothing_to_find() -> None:
    nothing, one = row(0, 4), row(2, 2)
    assert count_lesions(nothing, nothing) == (0, 0, 0)
    assert count_lesions(one, nothing) == (0, 1, 0)
    assert count_lesions(nothing, one) == (0, 0, 1)


def test_f1_is_of_all_lesions_of_all_cases_and_absent_where_there_is_none() -> None:
    found = LesionDetection.over(np.array([(2, 1, 0), (1, 0, 2), (0, 0, 0)]))
    assert found == LesionDetection(3, 1, 2, pytest.approx(2 * 3 / (2 * 3 + 1 + 2)))
    assert LesionDetection.over(np.zeros((1, 3), int)) == LesionDetection(0, 0, 0, None)
