"""The lesions of a tumour mask: parts that do not touch each other."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


def find_lesions(mask: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
    """Find the connected parts of a mask; voxels that share a face, an edge or a corner are connected.

    Args:
        mask: of three axes.

    Returns:
        The indices of the voxels of each part, ``(n_voxels, 3)``, the largest part first; empty for an empty mask.
    """
    voxels = np.argwhere(mask)
    if not len(voxels):
        return []
    first, last = voxels.min(axis=0), voxels.max(axis=0)
    # A tumour is a small part of the image.
    box = tuple(slice(start, stop + 1) for start, stop in zip(first, last, strict=True))
    labels, _ = ndimage.label(mask[box], structure=np.ones((3, 3, 3)))
    label = labels[tuple((voxels - first).T)]
    order = np.argsort(label, kind="stable")
    sizes = np.bincount(label)[1:]
    parts = np.split(voxels[order], np.cumsum(sizes)[:-1])
    return sorted(parts, key=len, reverse=True)
