"""The Dice that a guess without the image reaches: what a segmentation network has to beat.

Where images are cropped around tumours, the place alone reveals much of the tumour. The prior predicts
the same mask for every case: the voxels that lie in the tumour often enough among the training cases.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import zoom

from nnunetv2_adamss.common.images import read_header, read_image, read_mask

# From the middle outwards, so that a tie goes to the threshold that neither shrinks nor swells the mask.
_CANDIDATE_THRESHOLDS = sorted(np.linspace(0.05, 0.95, 19), key=lambda threshold: abs(threshold - 0.5))


class ImageBlindPrior:
    """The mean training mask in the frame of the image, cut at the threshold that suits the training best.

    Args:
        training_masks: boolean arrays ``(z, y, x)``, of possibly different sizes.

    Raises:
        ValueError: if there is no training mask.
    """

    def __init__(self, training_masks: Sequence[NDArray[np.bool_]]) -> None:
        if not training_masks:
            raise ValueError("The image-blind prior needs at least one training mask.")
        frame = training_masks[0].shape
        in_frame = [_stretch(mask.astype(np.float32), frame) for mask in training_masks]
        self._frequency = np.mean(in_frame, axis=0)
        self._threshold = max(
            _CANDIDATE_THRESHOLDS,
            key=lambda threshold: np.mean([dice(m, self._cut(m.shape, threshold)) for m in training_masks]),
        )

    def predict(self, shape: Sequence[int]) -> NDArray[np.bool_]:
        """The mask of any case whose image has this shape, ``(z, y, x)``."""
        return self._cut(shape, self._threshold)

    def _cut(self, shape: Sequence[int], threshold: float) -> NDArray[np.bool_]:
        return _stretch(self._frequency, shape) >= threshold


def dice(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Dice coefficient of two masks of one shape, in [0, 1]; nan if both are empty."""
    total = int(first.sum()) + int(second.sum())
    return 2 * int((first & second).sum()) / total if total else float("nan")


def read_foreground(path: Path, like: Path | None = None) -> NDArray[np.bool_]:
    """The union of the foreground labels of a label image, ``(z, y, x)``.

    Args:
        path: of the label image.
        like: an image on the same grid, whose axes the result has; default its own axes.

    Raises:
        ValueError: if a file cannot be read, or the two lie on different grids.
    """
    labels = read_image(path).voxels if like is None else read_mask(path, read_header(like), like)
    foreground: NDArray[np.bool_] = labels > 0
    return foreground


def _stretch(values: NDArray[np.floating], shape: Sequence[int]) -> NDArray[np.floating]:
    factors = [new / old for new, old in zip(shape, values.shape, strict=True)]
    return zoom(values, factors, order=1, grid_mode=True, mode="nearest")
