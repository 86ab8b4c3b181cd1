"""Combine the contours of one structure in one plane: joined and nested, or by exclusive or."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from skimage.draw import polygon


def nested(contours: Sequence[NDArray[np.float64]], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Join contours; one within another is a hole, and one within the hole belongs to the structure again.

    Contours are compared by their pixels. Of those with the same pixels one counts, since it was drawn twice.

    Args:
        contours: points, in pixels, as (x, y) and perhaps more.
        shape: ``(rows, columns)``.

    Returns:
        Pixels of the structure, ``(rows, columns)``.
    """
    found: list[tuple[NDArray[np.bool_], int]] = []  # with the number of contours around, largest first
    for inside in sorted((_inside(points, shape) for points in contours), key=lambda one: -len(one[0])):
        around = [(mask, depth) for mask, depth in found if mask[inside].all()]
        if any(mask.sum() == len(inside[0]) for mask, _ in around):
            continue
        mask = np.zeros(shape, bool)
        mask[inside] = True
        found.append((mask, 1 + max((depth for _, depth in around), default=-1)))
    structure = np.zeros(shape, bool)
    for mask, depth in sorted(found, key=lambda one: one[1]):
        structure[mask] = depth % 2 == 0
    return structure


def by_exclusive_or(contours: Sequence[NDArray[np.float64]], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the pixels within an odd number of contours; arguments as of :func:`nested`."""
    structure = np.zeros(shape, bool)
    for points in contours:
        structure[_inside(points, shape)] ^= True
    return structure


def _inside(points: NDArray[np.float64], shape: tuple[int, int]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows and columns of the pixels whose centres lie inside."""
    rows, columns = polygon(points[:, 1], points[:, 0], shape)
    return rows, columns
