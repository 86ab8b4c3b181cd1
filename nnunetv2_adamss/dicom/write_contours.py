"""Outlines of a mask in a slice, as polygons without holes."""

import numpy as np
from contourpy import FillType, contour_generator
from numpy.typing import NDArray


def outlines(mask: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """Polygons around the pixels of a mask, midway between them and their neighbours outside.

    The centres of exactly these pixels lie inside. A hole is joined to its outline by a channel without width (a
    "keyhole"), since programs differ in whether they take a second contour for a hole.

    Args:
        mask: ``(rows, columns)``.

    Returns:
        Corners of each polygon, ``(n, 2)``, as (column, row); the last one is connected with the first.
    """
    contours = contour_generator(z=np.pad(mask, 1).astype(float), fill_type=FillType.OuterOffset)
    polygons = []
    for corners, offsets in zip(*contours.filled(0.5, 2), strict=True):
        outer, *holes = np.split(corners - 1, offsets[1:-1])
        polygon = outer
        for hole in holes:
            polygon = _joined(polygon, hole)
        polygons.append(polygon[:-1])
    return polygons


def _joined(polygon: NDArray[np.float64], hole: NDArray[np.float64]) -> NDArray[np.float64]:
    """Join a hole to a polygon; the first corner of each is also the last.

    The channel begins and ends midway between two rows and turns midway between two columns, so that it runs along the
    edges of pixels and no centre lies on it.
    """
    starts, ends = _between_rows(polygon), _between_rows(hole)
    distances = np.linalg.norm(polygon[starts, None] - hole[ends], axis=-1)
    of_start, of_end = np.unravel_index(distances.argmin(), distances.shape)
    start, end = starts[of_start], ends[of_end]
    turn = polygon[start, 0] + 0.5
    channel = np.array([(turn, polygon[start, 1]), (turn, hole[end, 1])])
    around = np.concatenate([hole[end:-1], hole[: end + 1]])
    return np.concatenate([polygon[: start + 1], channel, around, channel[::-1], polygon[start:]])


def _between_rows(polygon: NDArray[np.float64]) -> NDArray[np.intp]:
    """Indices of the corners that lie in the middle of a column, and so between two rows."""
    in_column, between = polygon[:-1, 0] % 1 == 0, polygon[:-1, 1] % 1 != 0
    return np.flatnonzero(in_column & between)
