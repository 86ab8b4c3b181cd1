"""pyradiomics' shape of a region in time that grows with its voxels, not with the pairs of its surface's vertices.

pyradiomics lays a mesh around the region by marching cubes. Its C function sums area and volume over the cubes, and
takes the diameters over all pairs of vertices, which are the midpoints of edges between a voxel and the background.
A ragged region of two million voxels has a million of these, whose pairs take an hour. Here:

- The 256 kinds of cubes are counted. Area and volume of each are pyradiomics' own, of a mask of
  2 x 2 x 2 voxels, so no table of triangles is needed. The mesh is not always closed, so a cube's volume depends on
  the place o where it stands, but linearly: det(a + o, b + o, c + o) = det(a, b, c) + o . (a x b + b x c + c x a).
- The largest distance within a set of points is between two corners of its convex hull, and only the ends of each
  line of voxels can be corners.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import pairwise

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from radiomics import cShape
from radiomics.shape import RadiomicsShape
from scipy.spatial import ConvexHull, QhullError
from scipy.spatial.distance import cdist

# With fewer vertices, pyradiomics' function takes some milliseconds.
MANY_VERTICES = 4000
# For so few points all pairs are faster than a hull.
_FEW_POINTS = 40
# Rows of the matrix of distances that are in memory at a time.
_ROWS = 1000
_CUBES = 256
# Place in a cube's number of each corner, in NumPy's order.
_BITS = (1 << np.arange(8)).reshape(2, 2, 2)

Diameters = tuple[float, float, float, float]


class FastShape(RadiomicsShape):
    """pyradiomics' features of shape, from the same coefficients."""

    # pyradiomics names its loggers by it.
    __module__ = RadiomicsShape.__module__

    def _initSegmentBasedCalculation(self) -> None:  # noqa: N802
        """Compute the coefficients of the features; the mask is already cropped to the region."""
        self.pixelSpacing = np.array(self.inputImage.GetSpacing()[::-1])
        self.maskArray = np.pad(sitk.GetArrayFromImage(self.inputMask) == self.label, 1)
        self.labelledVoxelCoordinates = np.nonzero(self.maskArray)
        self.SurfaceArea, self.Volume, self.diameters = coefficients(self.maskArray, self.pixelSpacing)
        self.eigenValues = _eigenvalues(np.transpose(self.labelledVoxelCoordinates), self.pixelSpacing)


def coefficients(
    region: NDArray[np.bool_], spacing_mm: NDArray[np.float64]
) -> tuple[float, float, Diameters]:
    """Area (mm²), volume (mm³) and diameters (mm) of a region's mesh.

    Args:
        region: ``(z, y, x)``, with a margin of one voxel of background on every side.
        spacing_mm: per axis.

    Returns:
        Area, volume, and the largest distances of two vertices in one plane of constant z, y, x, and of any two.
    """
    n_vertices = sum(np.count_nonzero(np.diff(region, axis=axis)) for axis in range(3))
    if n_vertices < MANY_VERTICES:
        area_mm2, volume_mm3, diameters = cShape.calculate_coefficients(region, spacing_mm)
        return area_mm2, volume_mm3, diameters
    return *_area_and_volume(region, spacing_mm), _diameters(region, spacing_mm)


def _eigenvalues(voxels: NDArray[np.int_], spacing_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Variances (mm²) along the principal axes of voxels ``(n, 3)``, ascending."""
    centred_mm = voxels * spacing_mm
    centred_mm -= centred_mm.mean(axis=0)
    centred_mm /= np.sqrt(len(voxels))
    found = np.linalg.eigvals(centred_mm.T.copy() @ centred_mm)
    found[(found < 0) & (found > -1e-10)] = 0  # of a flat region, by rounding
    return np.sort(found)


def _area_and_volume(region: NDArray[np.bool_], spacing_mm: NDArray[np.float64]) -> tuple[float, float]:
    volume, normal = _unit_cubes()
    counts = np.zeros(_CUBES, dtype=np.int64)
    voxels = 0.0
    for z, (lower, upper) in enumerate(pairwise(region)):
        cubes = _cubes(np.stack([lower, upper]))[0]
        in_slab = np.bincount(cubes.ravel(), minlength=_CUBES)
        counts += in_slab
        voxels += z * (normal[0] @ in_slab)
        voxels += np.arange(cubes.shape[0]) @ normal[1][cubes].sum(axis=1)
        voxels += np.arange(cubes.shape[1]) @ normal[2][cubes].sum(axis=0)
    volume_mm3 = (volume @ counts + voxels) * spacing_mm.prod()
    return float(_areas_mm2(tuple(spacing_mm)) @ counts), float(volume_mm3)


def _cubes(region: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Number of the cube between each eight voxels, from 0 to 255."""
    z, y, x = (side - 1 for side in region.shape)
    numbers = np.zeros((z, y, x), dtype=np.intp)
    for (dz, dy, dx), bit in np.ndenumerate(_BITS):
        numbers += bit * region[dz : dz + z, dy : dy + y, dx : dx + x]
    return numbers


def _cube(number: int) -> NDArray[np.bool_]:
    """The eight voxels of a cube, ``(2, 2, 2)``."""
    return (number & _BITS) > 0


@lru_cache(maxsize=16)
def _areas_mm2(spacing_mm: tuple[float, ...]) -> NDArray[np.float64]:
    """Area of the mesh in each cube."""
    return np.array([cShape.calculate_coefficients(_cube(n), np.array(spacing_mm))[0] for n in range(_CUBES)])


@lru_cache(maxsize=1)
def _unit_cubes() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Volume in each cube at the origin, and how it grows with each step along z, y, x: ``(256,)`` and ``(3, 256)``."""
    volume = np.array([_unit_volume(_cube(n)) for n in range(_CUBES)])
    growth = np.empty((3, _CUBES))
    for n in range(_CUBES):
        for axis in range(3):
            # Its first layer twice: a cube of that layer at the origin, and this one a step along the axis.
            shifted = np.repeat(_cube(n), (2, 1), axis=axis)
            both = _unit_volume(shifted)
            growth[axis, n] = both - _unit_volume(shifted.take([0, 1], axis=axis)) - volume[n]
    return volume, growth


def _unit_volume(region: NDArray[np.bool_]) -> float:
    return float(cShape.calculate_coefficients(region, np.ones(3))[1])


def _diameters(region: NDArray[np.bool_], spacing_mm: NDArray[np.float64]) -> Diameters:
    along_x, along_y = _ends_of_lines(region, axis=2), _ends_of_lines(region, axis=1)
    # A line lies within the planes of the other two axes, where its ends are all that counts.
    in_planes = [
        max(_largest_distance_mm(plane, spacing_mm, moving) for plane in _planes(ends, fixed))
        for fixed, moving, ends in [(0, (1, 2), along_x), (1, (0, 2), along_x), (2, (0, 1), along_y)]
    ]
    return *in_planes, _largest_distance_mm(along_x, spacing_mm, (0, 1, 2))  # type: ignore[return-value]


def _ends_of_lines(region: NDArray[np.bool_], axis: int) -> NDArray[np.intp]:
    """First and last vertex of every line along an axis, in half voxels: ``(n, 3)``."""
    found = []
    for across in range(3):
        edges = np.diff(region, axis=across)
        kept = np.argwhere(edges.any(axis=axis))
        first = edges.argmax(axis=axis)
        last = edges.shape[axis] - 1 - np.flip(edges, axis).argmax(axis=axis)
        for position in (first, last):
            vertices = np.insert(kept, axis, position[tuple(kept.T)], axis=1) * 2
            vertices[:, across] += 1
            found.append(vertices)
    return np.concatenate(found)


def _planes(points: NDArray[np.intp], axis: int) -> Iterator[NDArray[np.intp]]:
    """The points in parts, of which each lies in one plane."""
    ordered = points[np.argsort(points[:, axis], kind="stable")]
    yield from np.split(ordered, np.flatnonzero(np.diff(ordered[:, axis])) + 1)


def _largest_distance_mm(
    points: NDArray[np.intp], spacing_mm: NDArray[np.float64], axes: Sequence[int]
) -> float:
    """The largest distance between two points, which are in half voxels and differ in these axes only."""
    corners = points[:, axes]
    if len(corners) > _FEW_POINTS:
        with suppress(QhullError):  # all on one line, and so few
            # In half voxels, since whole numbers leave no doubt of what is a corner.
            corners = corners[ConvexHull(corners).vertices]
    corners_mm = corners * (spacing_mm[list(axes)] / 2)
    rows = range(0, len(corners_mm), _ROWS)
    return float(max(cdist(corners_mm[row : row + _ROWS], corners_mm).max() for row in rows))
