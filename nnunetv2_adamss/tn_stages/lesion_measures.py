"""Number, size and side of the lesions of each label of a mask: what T and N stages depend on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log1p
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull
from scipy.spatial.distance import cdist

from nnunetv2_adamss.common.images import Image, read_image, read_mask
from nnunetv2_adamss.common.voxel_grid import VoxelGrid
from nnunetv2_adamss.metrics.lesions_of_mask import find_lesions

# Two voxels of a PET: fewer are noise, and would count as a lymph node.
_LEAST_ML = 0.1
# Fat has -100 HU and air -1000.
_BODY_HU = -300.0
# For so few points all pairs are faster than a hull.
_FEW_POINTS = 100


@dataclass(frozen=True)
class LesionMeasures:
    """The lesions of one label of a mask; all values are 0 without a lesion.

    Args:
        n_lesions: connected parts, without those under 0.1 ml.
        volume_ml: of all lesions.
        largest_ml: volume of the largest lesion.
        diameter_mm: largest distance between the centres of two voxels of one lesion.
        height_mm: from the lowest to the highest voxel of all lesions.
        other_side: share of the volume on the side of the body that has less of it, at most 0.5.
    """

    n_lesions: int = 0
    volume_ml: float = 0.0
    largest_ml: float = 0.0
    diameter_mm: float = 0.0
    height_mm: float = 0.0
    other_side: float = 0.0

    @classmethod
    def of(cls, mask: NDArray[np.bool_], ct: Image) -> "LesionMeasures":
        """Measure the lesions of a mask.

        Args:
            mask: ``(z, y, x)``, on the grid of the CT.
            ct: in HU.

        Raises:
            ValueError: if the CT shows no body where the lesions are.
        """
        voxel_ml = float(np.prod(ct.grid.spacing_mm)) / 1000
        lesions = [voxels for voxels in find_lesions(mask) if len(voxels) * voxel_ml >= _LEAST_ML]
        if not lesions:
            return cls()
        voxels = np.concatenate(lesions)
        left, _, up = _points(voxels, ct.grid).T
        is_left = left > _midline(voxels, ct)
        return cls(
            n_lesions=len(lesions),
            volume_ml=len(voxels) * voxel_ml,
            largest_ml=len(lesions[0]) * voxel_ml,
            diameter_mm=max(_diameter_mm(lesion, ct.grid) for lesion in lesions),
            height_mm=float(np.ptp(up)),
            other_side=float(min(is_left.mean(), 1 - is_left.mean())),
        )

    def inputs(self, label: str) -> dict[str, float]:
        """Numbers for a linear model, by name: volumes and counts as logarithms, since few patients have most."""
        return {
            f"{label}_log_lesions": log1p(self.n_lesions),
            f"{label}_log_ml": log1p(self.volume_ml),
            f"{label}_log_largest_ml": log1p(self.largest_ml),
            f"{label}_diameter_mm": self.diameter_mm,
            f"{label}_height_mm": self.height_mm,
            f"{label}_other_side": self.other_side,
        }


def measure_case(mask_file: Path, ct_file: Path, labels: Mapping[str, Sequence[int]]) -> dict[str, float]:
    """Measure the lesions of every label, as inputs of a linear model by name.

    Args:
        mask_file: of the tumour.
        ct_file: on its grid, in HU.
        labels: values of each label or region.

    Raises:
        ValueError: if a file cannot be read, the two lie on different grids, or the CT shows no body.
    """
    ct = read_image(ct_file)
    mask = read_mask(mask_file, ct.grid, ct_file)
    return {
        name: value
        for label, values in labels.items()
        for name, value in LesionMeasures.of(np.isin(mask, list(values)), ct).inputs(label).items()
    }


def _points(voxels: NDArray[Any], grid: VoxelGrid) -> NDArray[np.float64]:
    """Places of voxels ``(n, 3)``, in the order z, y, x, in mm to the left, to the back and up."""
    return grid.points(voxels[:, ::-1])


def _midline(voxels: NDArray[np.intp], ct: Image) -> float:
    """The middle of the body in the slices of these voxels, in mm to the left."""
    vertical = 2 - int(np.abs(ct.grid.axes[2]).argmax())
    slices = [slice(None)] * 3
    slices[vertical] = slice(voxels[:, vertical].min(), voxels[:, vertical].max() + 1)
    body = ct.voxels[tuple(slices)] > _BODY_HU
    if not body.any():
        raise ValueError(f"the CT shows no body at the tumour: nothing above {_BODY_HU:g} HU")
    # By counts along each axis: the indices of all voxels would fill the memory.
    counts = [np.count_nonzero(body, axis=others) for others in ((1, 2), (0, 2), (0, 1))]
    centre = np.array([[np.average(np.arange(len(one)), weights=one) for one in counts]])
    centre[:, vertical] += slices[vertical].start
    return float(_points(centre, ct.grid)[0, 0])


def _diameter_mm(lesion: NDArray[np.intp], grid: VoxelGrid) -> float:
    points = _points(_ends_of_lines(lesion), grid)
    if len(points) > _FEW_POINTS:
        # Joggled, since a flat lesion has no hull.
        points = points[ConvexHull(points, qhull_options="QJ").vertices]
    return float(cdist(points, points).max())


def _ends_of_lines(voxels: NDArray[np.intp]) -> NDArray[np.intp]:
    """First and last voxel of each line along x: only these can be corners of the hull."""
    ordered = voxels[np.lexsort(voxels.T[::-1])]
    is_first = np.append(True, (np.diff(ordered[:, :2], axis=0) != 0).any(axis=1))
    return ordered[is_first | np.append(is_first[1:], True)]
