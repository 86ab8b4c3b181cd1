"""The region that Stage II sees: a box of 160 mm around the tumour (Section 4.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from acvl_utils.cropping_and_padding.bounding_boxes import crop_and_pad_nd
from numpy.typing import NDArray
from scipy import ndimage

from nnunetv2_adamss.survival.tumour_region.preprocessed_grid import PreprocessedGrid

REGION_SIDE_MM = 160.0
# Section 4.2: crops of 112 of the region's 160 voxels.
CROP_FRACTION = 0.7
# choice: smaller components are more often false positives than metastases, and would move the centre far.
_SMALLEST_COMPONENT = 0.1


@dataclass(frozen=True)
class Region:
    """A box of preprocessed voxels; it may leave the image.

    Args:
        start: first voxel, per axis.
        size: voxels, per axis.
    """

    start: tuple[int, ...]
    size: tuple[int, ...]

    def within(self, image_shape: Sequence[int]) -> "Region":
        """The part that lies in an image of this shape."""
        start = np.maximum(self.start, 0)
        stop = np.minimum(np.add(self.start, self.size), image_shape)
        return Region(tuple(start.tolist()), tuple((stop - start).tolist()))


def region_size(spacing_mm: Sequence[float], total_stride: Sequence[int]) -> tuple[int, ...]:
    """Voxels of a region's sides: 160 mm, rounded up to multiples of the network's strides."""
    return tuple(
        _round_up(REGION_SIDE_MM / spacing, stride)
        for spacing, stride in zip(spacing_mm, total_stride, strict=True)
    )


def crop_size(spacing_mm: Sequence[float], total_stride: Sequence[int]) -> tuple[int, ...]:
    """Voxels of a training crop's sides: 70% of the region's, rounded up to multiples of the strides."""
    return tuple(
        _round_up(CROP_FRACTION * REGION_SIDE_MM / spacing, stride)
        for spacing, stride in zip(spacing_mm, total_stride, strict=True)
    )


def tumour_centre(mask: NDArray[np.bool_]) -> NDArray[np.float64] | None:
    """Centre of the tumour's bounding box, in image voxels from the first voxel's edge.

    choice: the paper states only that the tumour is in the centre. Components with less than 10% of the largest
    one's volume are ignored.

    Args:
        mask: True in the tumour.

    Returns:
        The centre, ``(3,)``, or None for an empty mask.
    """
    boxes = ndimage.find_objects(mask.astype(np.uint8))
    if not boxes:
        return None
    tumour = mask[boxes[0]]
    # With diagonal neighbours, so that thin tumours are not cut into pieces.
    labels, n_components = ndimage.label(tumour, np.ones([3] * mask.ndim))
    volumes = np.bincount(labels.ravel(), minlength=n_components + 1)[1:]
    kept = 1 + np.flatnonzero(volumes >= _SMALLEST_COMPONENT * volumes.max())
    voxels = np.argwhere(np.isin(labels, kept)) + [axis.start for axis in boxes[0]]
    return (voxels.min(axis=0) + voxels.max(axis=0) + 1) / 2


def region_around(centre: NDArray[np.float64], grid: PreprocessedGrid, size: Sequence[int]) -> Region:
    """The region of this size around an image point; a point that nnU-Net cropped away moves to the edge."""
    centre_in_grid = np.clip(grid.from_image(centre), 0, grid.shape)
    start = centre_in_grid - np.asarray(size) / 2
    return Region(tuple(round(float(s)) for s in start), tuple(size))


def share_in_region(mask: NDArray[np.bool_], grid: PreprocessedGrid, region: Region) -> float:
    """Share of the mask's voxels whose centres lie in the region, in [0, 1]; 1 for an empty mask."""
    corners = np.array([region.start, np.add(region.start, region.size)], dtype=float)
    low, high = np.sort(grid.to_image(corners), axis=0)
    voxel_centres = np.argwhere(mask) + 0.5
    inside = np.all((voxel_centres >= low) & (voxel_centres < high), axis=1)
    return float(inside.mean()) if len(inside) else 1.0


def read_region(data: Any, region: Region) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Read the region from a preprocessed image; what lies outside it is zero.

    Args:
        data: ``(channels, *space)``, an array or nnU-Net's blosc2 file, of which only the region is decompressed.
        region: the voxels to read.

    Returns:
        The image, ``(channels, *region.size)``, and 1 where it is image and 0 where it is padding,
        ``(1, *region.size)``.
    """
    box = [[start, start + side] for start, side in zip(region.start, region.size, strict=True)]
    everywhere = np.broadcast_to(np.float32(1), (1, *data.shape[1:]))
    # Copied, since a region within the image would otherwise be a view of it.
    image, valid = (np.array(crop_and_pad_nd(voxels, box), np.float32) for voxels in (data, everywhere))
    return image, valid


def read_within_image(
    data: Any, region: Region, total_stride: Sequence[int]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Read the part of a region that lies in the image, rounded up to multiples of the strides; see ``read_region``.

    choice: convolutions see the edge between image and padding, so that a risk would depend on how far a region leaves
    the image. It is predicted with as little padding as the strides allow; voxels added by rounding are not valid.
    """
    inside = region.within(data.shape[1:])
    size = tuple(_round_up(side, stride) for side, stride in zip(inside.size, total_stride, strict=True))
    image, valid = read_region(data, Region(inside.start, size))
    in_region = np.zeros_like(valid)
    in_region[(slice(None), *(slice(side) for side in inside.size))] = 1
    return image, valid * in_region


def _round_up(length: float, multiple: int) -> int:
    # Binary fractions such as 160 / 0.1 must not round up to one more.
    return max(1, int(np.ceil(round(length / multiple, 6)))) * multiple
