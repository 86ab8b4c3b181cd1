"""Read the segments of a DICOM SEG as a mask on the grid of the object."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import highdicom
import numpy as np
import SimpleITK as sitk

_LEAST_FRACTION = 0.5  # probability or occupancy of a voxel in a fractional segment


def read_segments(file: Path, labels: Mapping[int, int]) -> sitk.Image:
    """Return the mask of some segments, uint8; where two overlap, the later one counts.

    Of a fractional segment the voxels with a probability or occupancy of one half or more belong to the mask.

    Args:
        file: of the object.
        labels: value of each segment, by its number.

    Raises:
        ValueError: if the file is damaged, or its frames form no volume.
    """
    try:
        volume = highdicom.seg.segread(str(file)).get_volume(segment_numbers=list(labels))
    except Exception as error:  # highdicom and pydicom raise errors of many kinds
        raise ValueError(f"its segments cannot be read as a volume ({type(error).__name__})") from None
    mask = np.zeros(volume.spatial_shape, np.uint8)
    for index, value in enumerate(labels.values()):
        mask[volume.array[..., index] >= _LEAST_FRACTION] = value
    return volume.with_array(mask).to_simpleitk()
