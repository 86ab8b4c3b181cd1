"""Outlines of masks: exactly their pixels lie inside, also around holes."""

import hypothesis.extra.numpy as arrays
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.path import Path as Polygon

from nnunetv2_adamss.dicom.write_contours import outlines


def crossings(polygon: np.ndarray, point: tuple[float, float]) -> int:
    """How often a ray from the point to the right crosses the closed polygon."""
    (x, y), (x_next, y_next) = polygon.T, np.roll(polygon, -1, axis=0).T
    between = (y > point[1]) != (y_next > point[1])
    at = x[between] + (point[1] - y[between]) / (y_next - y)[between] * (x_next - x)[between]
    return int((at > point[0]).sum())


@given(arrays.arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_exactly_the_pixels_of_any_mask_lie_in_one_polygon(mask: np.ndarray) -> None:
    n_inside = np.zeros(mask.shape, int)
    for polygon in outlines(mask):
        for (row, column), _ in np.ndenumerate(mask):
            n_inside[row, column] += crossings(polygon, (column, row)) % 2
    np.testing.assert_array_equal(n_inside, mask.astype(int))


@given(arrays.arrays(bool, st.tuples(st.integers(2, 9), st.integers(2, 9))))
def test_no_centre_of_a_pixel_lies_near_an_edge(mask: np.ndarray) -> None:
    centres = np.array(list(np.ndindex(mask.shape)))[:, ::-1]
    for polygon in outlines(mask):
        start, end = polygon, np.roll(polygon, -1, axis=0)
        along = end - start
        share = ((centres[:, None] - start) * along).sum(-1) / (along**2).sum(-1).clip(1e-9)
        distance = np.linalg.norm(centres[:, None] - (start + share.clip(0, 1)[..., None] * along), axis=-1)
        assert distance.min() > 0.3


def test_a_ring_is_one_polygon_that_leaves_out_its_hole() -> None:
    rows, columns = np.ogrid[:40, :50]
    distance = np.hypot(rows - 20, columns - 24)
    ring = (distance < 15) & (distance > 6)
    (polygon,) = outlines(ring)
    centres = np.stack(np.meshgrid(range(50), range(40)), axis=-1).reshape(-1, 2)
    inside = Polygon(polygon[[*range(len(polygon)), 0]]).contains_points(centres)
    np.testing.assert_array_equal(inside.reshape(ring.shape), ring)


def test_the_outline_of_one_pixel_runs_midway_to_its_neighbours() -> None:
    mask = np.zeros((3, 4), bool)
    mask[1, 2] = True
    (polygon,) = outlines(mask)
    assert sorted(map(tuple, polygon.tolist())) == [(1.5, 1.0), (2.0, 0.5), (2.0, 1.5), (2.5, 1.0)]
