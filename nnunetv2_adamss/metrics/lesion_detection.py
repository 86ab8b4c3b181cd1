"""Detection of lesions: which of them a mask finds, whatever their size."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from nnunetv2_adamss.metrics.lesions_of_mask import find_lesions

# A lesion is found if it shares more than this part of the union with a predicted one (HECKTOR 2025).
LEAST_OVERLAP = 0.3


@dataclass(frozen=True)
class LesionDetection:
    """Lesions of one label, counted over all cases.

    Attributes:
        n_found: lesions of the references that were predicted.
        n_false: predicted lesions that are none of the references'.
        n_missed: lesions of the references that were not predicted.
        f1: twice the found lesions over all lesions of masks and references; None if there is none.
    """

    n_found: int
    n_false: int
    n_missed: int
    f1: float | None

    @classmethod
    def over(cls, counts: NDArray[np.int64]) -> "LesionDetection":
        """Add up the counts of :func:`count_lesions`, ``(n_cases, 3)``."""
        n_found, n_false, n_missed = counts.sum(axis=0).tolist()
        n_lesions = 2 * n_found + n_false + n_missed
        return cls(n_found, n_false, n_missed, 2 * n_found / n_lesions if n_lesions else None)


def count_lesions(predicted: NDArray[np.bool_], reference: NDArray[np.bool_]) -> tuple[int, int, int]:
    """Return how many lesions are found, false and missed.

    Each predicted lesion finds one lesion of the reference at most, and each of these is found by one at most; of all
    ways to pair them, one with the most pairs counts.

    Args:
        predicted: of three axes.
        reference: on the same grid.
    """
    of_mask, of_reference = find_lesions(predicted), find_lesions(reference)
    is_pair = _overlap_by_union(of_mask, of_reference, reference.shape) > LEAST_OVERLAP
    n_found = int(is_pair[linear_sum_assignment(is_pair, maximize=True)].sum())
    return n_found, len(of_mask) - n_found, len(of_reference) - n_found


def _overlap_by_union(
    of_mask: list[NDArray[np.intp]], of_reference: list[NDArray[np.intp]], shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """Intersection over union of each two lesions, ``(n_of_mask, n_of_reference)``."""
    number = np.zeros(shape, np.int32)
    for place, voxels in enumerate(of_reference, start=1):
        number[tuple(voxels.T)] = place
    both = np.zeros((len(of_mask), len(of_reference)))
    for place, voxels in enumerate(of_mask):
        both[place] = np.bincount(number[tuple(voxels.T)], minlength=len(of_reference) + 1)[1:]
    sizes = np.add.outer([len(voxels) for voxels in of_mask], [len(voxels) for voxels in of_reference])
    return both / (sizes - both)
