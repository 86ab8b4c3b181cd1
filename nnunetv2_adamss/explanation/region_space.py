"""Transform from the network's region back to the image's own voxels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from nnunetv2_adamss.survival.tumour_region.preprocessed_grid import PreprocessedGrid
from nnunetv2_adamss.survival.tumour_region.region import Region


@dataclass(frozen=True)
class RegionSpace:
    """Place of a region in its image, whose axes are those of nnU-Net's reader.

    Args:
        grid: from the image to nnU-Net's preprocessed voxels.
        region: the part of the region that lies in the image, in preprocessed voxels.
        image_shape: of the image as it was read, per axis.
    """

    grid: PreprocessedGrid
    region: Region
    image_shape: tuple[int, ...]

    @property
    def box(self) -> tuple[slice, ...]:
        """Box of the image's voxels whose centres lie in the region."""
        corners = np.array([self.region.start, np.add(self.region.start, self.region.size)], dtype=float)
        # Voxel i has its centre at i + 0.5; rounded, since resampling's fractions are not exact.
        first, end = np.ceil((self.grid.to_image(corners) - 0.5).round(6)).astype(int)
        return tuple(
            slice(max(int(low), 0), min(int(high), side))
            for low, high, side in zip(first, end, self.image_shape, strict=True)
        )

    def in_box(self, values: NDArray[np.floating], stride: Sequence[int]) -> NDArray[np.float32]:
        """Interpolate a map of the region linearly at the voxels of ``box``.

        Args:
            values: map that begins at the region's corner, axes as preprocessed.
            stride: preprocessed voxels for one of its own, per axis.
        """
        transpose = list(self.grid.transpose)
        box = self.box
        first_centre = np.array([axis.start for axis in box]) + 0.5
        first_point = (self.grid.from_image(first_centre) - self.region.start) / stride
        in_region_axes = ndimage.affine_transform(
            np.asarray(values, dtype=np.float32),
            self.grid.scale / stride,
            first_point - 0.5,
            output_shape=tuple(box[axis].stop - box[axis].start for axis in transpose),
            order=1,
            mode="nearest",
        )
        back: NDArray[np.float32] = in_region_axes.transpose(np.argsort(transpose))
        return back

    def in_image(self, in_box: NDArray[np.float32]) -> NDArray[np.float32]:
        """Put values at the voxels of ``box`` into an image that is 0 elsewhere."""
        image = np.zeros(self.image_shape, dtype=np.float32)
        image[self.box] = in_box
        return image
