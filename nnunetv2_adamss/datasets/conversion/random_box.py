"""Cut a box of one size at a random place around a tumour.

The open sarcoma images were published as crops that follow the tumour: its size plus 5 cm. A network could read the
tumour's size, and with it much of the survival, from the size of the image, and its outline from where the image
ends. Boxes of one size, with the tumour at a random place, show neither.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from nnunetv2_adamss.common.voxel_grid import VoxelGrid

_LEAST_INSIDE_MM = 25.0


def random_box(
    grid: VoxelGrid, centroid_mm: Sequence[float], field_mm: float, case_id: str, seed: int
) -> VoxelGrid:
    """Return a block of the grid's voxels with the tumour's centroid at least 25 mm inside.

    Args:
        grid: of the whole image.
        centroid_mm: of the tumour, physical.
        field_mm: side of the box; its voxels are as many as fit in.
        case_id: the place of a patient does not depend on other patients.
        seed: of all places.

    Raises:
        ValueError: if the image is smaller than the box, or no place fits.
    """
    spacing = np.array(grid.spacing_mm)
    size = np.floor(field_mm / spacing + 1e-3).astype(int)
    if (size > grid.size).any():
        sides = " x ".join(f"{side:.0f}" for side in np.array(grid.size) * spacing)
        raise ValueError(f"its images, {sides} mm, are smaller than the box of {field_mm:g} mm (--field_mm)")
    centroid = grid.indices(np.array([centroid_mm]))[0]
    inside = _LEAST_INSIDE_MM / spacing
    lowest = np.maximum(np.ceil(centroid + inside - size + 0.5), 0).astype(int)
    highest = np.minimum(np.floor(centroid - inside + 0.5), np.array(grid.size) - size).astype(int)
    if (lowest > highest).any():
        raise ValueError(
            f"no box of {field_mm:g} mm has the tumour's centroid {_LEAST_INSIDE_MM:g} mm inside (--field_mm)"
        )
    rng = np.random.default_rng([seed, zlib.crc32(case_id.encode())])
    return grid.cropped(rng.integers(lowest, highest, endpoint=True).tolist(), size.tolist())
