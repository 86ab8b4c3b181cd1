"""Conversion of points between an image and nnU-Net's preprocessed data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class PreprocessedGrid:
    """nnU-Net's transposition, cropping to non-zero voxels and resampling of an image.

    Points are in voxels, counted from the outer edge of the first voxel: voxel i reaches from i to i + 1. Image
    points have the axes of nnU-Net's reader, before its ``transpose_forward``.

    Args:
        transpose: nnU-Net's ``transpose_forward``.
        crop_start: first voxel that the crop keeps, per transposed axis.
        scale: preprocessed voxels for one voxel of the crop, per transposed axis.
        shape: of the preprocessed image.
    """

    transpose: tuple[int, ...]
    crop_start: NDArray[np.float64]
    scale: NDArray[np.float64]
    shape: tuple[int, ...]

    @classmethod
    def of_case(
        cls, properties: Mapping[str, Any], transpose_forward: Sequence[int], shape: Sequence[int]
    ) -> "PreprocessedGrid":
        """Grid of one case, from the properties that nnU-Net's preprocessing stores.

        Args:
            properties: of the case.
            transpose_forward: of the plan.
            shape: spatial shape of the preprocessed image.
        """
        cropped_shape = np.asarray(properties["shape_after_cropping_and_before_resampling"], dtype=float)
        return cls(
            tuple(transpose_forward),
            np.asarray([start for start, _ in properties["bbox_used_for_cropping"]], dtype=float),
            np.asarray(shape, dtype=float) / cropped_shape,
            tuple(shape),
        )

    def from_image(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Convert image points ``(..., 3)`` to preprocessed voxels."""
        transposed = np.asarray(points, dtype=float)[..., list(self.transpose)]
        return (transposed - self.crop_start) * self.scale

    def to_image(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Convert preprocessed points ``(..., 3)`` to the image's voxels."""
        transposed = np.asarray(points, dtype=float) / self.scale + self.crop_start
        return transposed[..., list(np.argsort(self.transpose))]
