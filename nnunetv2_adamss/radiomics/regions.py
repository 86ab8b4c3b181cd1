"""The regions of a mask that features are extracted from."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.distance import pdist


def lesions_of(tumour: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    """The parts of the tumour that do not touch, diagonal neighbours included; the largest first."""
    labels, n_lesions = ndimage.label(tumour, np.ones([3] * tumour.ndim))
    sizes = np.bincount(labels.ravel(), minlength=n_lesions + 1)[1:]
    # Stable, so that of two lesions of one size it is always the same that comes first.
    order = np.argsort(-sizes, kind="stable") + 1
    return [labels == lesion for lesion in order]


def lesion_spread_mm(lesions: Sequence[NDArray[np.bool_]], spacing_mm: Sequence[float]) -> float:
    """Largest distance between the centres of two lesions; 0 for one.

    Args:
        lesions: arrays of one shape.
        spacing_mm: per axis of the arrays.
    """
    centres = np.array([np.argwhere(lesion).mean(axis=0) for lesion in lesions]) * np.asarray(spacing_mm)
    return float(pdist(centres).max()) if len(lesions) > 1 else 0.0


def shell_around(
    tumour: NDArray[np.bool_], thickness_mm: float, spacing_mm: Sequence[float]
) -> NDArray[np.bool_]:
    """The voxels outside the tumour within a distance of it."""
    # The distance transform is slow, so it is limited to where the shell can be.
    reach = np.ceil(thickness_mm / np.asarray(spacing_mm)).astype(int) + 1
    box = tuple(
        slice(max(0, side.start - n), side.stop + n)
        for side, n in zip(ndimage.find_objects(tumour.astype(np.uint8))[0], reach, strict=True)
    )
    shell = np.zeros_like(tumour)
    distance_mm = ndimage.distance_transform_edt(~tumour[box], sampling=spacing_mm)
    shell[box] = (distance_mm > 0) & (distance_mm <= thickness_mm)
    return shell
