"""The part of an image that a region's features depend on, so that nothing else need be filtered or interpolated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pywt
import SimpleITK as sitk
from numpy.typing import NDArray
from radiomics import imageoperations

# Voxels kept around the region for filters.
MARGIN = 10
# Reach of the cubic B-spline's recursion: 0.27 to the power of 24 is below the precision of a double.
SPLINE_MARGIN = 24
# The largest resampled image; as numbers of 64 bits, which the filters need, it takes 32 GB.
MAX_VOXELS = 4e9
# Defaults of pyradiomics' extractor; those of its functions differ.
_DEFAULTS: dict[str, Any] = {"padDistance": 5, "interpolator": "sitkBSpline"}
# Filters whose reach is known. All others, such as LoG or exponential, depend on the whole image.
_LOCAL_IMAGE_TYPES = {"Original", "Wavelet"}


@dataclass(frozen=True)
class Box:
    """A box of voxels in an image.

    Args:
        start: first voxel, in SimpleITK's order of axes.
        stop: one past the last voxel.
    """

    start: tuple[int, ...]
    stop: tuple[int, ...]

    @classmethod
    def around(cls, region: NDArray[np.bool_]) -> "Box":
        """The smallest box that holds a region, which is an array in NumPy's order of axes."""
        # One axis after the other: listing all voxels would take far more memory.
        start, stop = [], []
        for axis in range(region.ndim):
            found = np.flatnonzero(region.any(axis=tuple(a for a in range(region.ndim) if a != axis)))
            start.append(int(found[0]))
            stop.append(int(found[-1]) + 1)
        return cls(tuple(reversed(start)), tuple(reversed(stop)))

    def cut(self, image: sitk.Image) -> sitk.Image:
        """The image within the box; it stays where it is in space."""
        return image[tuple(slice(a, b) for a, b in zip(self.start, self.stop, strict=True))]

    def grown(self, voxels: Sequence[int], size: Sequence[int]) -> "Box":
        """The box with more voxels on both sides of each axis, within the image."""
        return Box(
            tuple(max(0, a - n) for a, n in zip(self.start, voxels, strict=True)),
            tuple(min(side, b + n) for b, n, side in zip(self.stop, voxels, size, strict=True)),
        )


def prepare(
    image: sitk.Image, mask: sitk.Image, box: Box, parameters: Mapping[str, Any]
) -> tuple[sitk.Image, sitk.Image, dict[str, Any]]:
    """Crop or resample image and mask so that pyradiomics computes the same features as from the whole ones.

    Args:
        image: one channel, on the mask's grid.
        mask: 1 in the region, 0 elsewhere.
        box: the smallest that holds the region.
        parameters: of the channel, in pyradiomics' format.

    Returns:
        Image, mask, and the parameters for them: without resampling, if that is done already.
    """
    setting = parameters["setting"]
    interpolator = {**_DEFAULTS, **setting}["interpolator"]
    resampled = setting.get("resampledPixelSpacing") is not None and interpolator is not None
    if setting.get("normalize") or setting.get("preCrop"):
        return image, mask, dict(parameters)
    if not resampled:
        local = set(parameters.get("imageType") or {"Original"}) <= _LOCAL_IMAGE_TYPES
        kept = _even_box(box, _filter_reach(parameters), image.GetSize()) if local else None
        return (
            (kept.cut(image), kept.cut(mask), dict(parameters)) if kept else (image, mask, dict(parameters))
        )
    image, mask = _resample(image, mask, box, setting)
    without = {key: value for key, value in setting.items() if key != "resampledPixelSpacing"}
    return image, mask, {**parameters, "setting": without}


def _filter_reach(parameters: Mapping[str, Any]) -> int:
    """Number of voxels over which a filter's output depends on the image."""
    if "Wavelet" not in parameters.get("imageType", {}):
        return 0
    setting = {**parameters["setting"], **(parameters["imageType"]["Wavelet"] or {})}
    levels = int(setting.get("start_level", 0)) + int(setting.get("level", 1))
    return levels * pywt.Wavelet(setting.get("wavelet", "coif1")).dec_len


def _even_box(box: Box, reach: int, size: Sequence[int]) -> Box:
    """The box with a margin, its sides even.

    pyradiomics' wavelet treats the image as periodic, and lengthens odd sides. So an axis on which the region
    lies within the filter's reach of the image's edge is kept whole, and the others get even sides.
    """
    wide = box.grown([max(MARGIN, reach)] * len(size), size)
    start, stop = list(wide.start), list(wide.stop)
    for axis, side in enumerate(size):
        near_edge = box.start[axis] - start[axis] < reach or stop[axis] - box.stop[axis] < reach
        if not near_edge and (stop[axis] - start[axis]) % 2:
            stop[axis] += 1
            if stop[axis] > side:
                start[axis], stop[axis] = start[axis] - 1, side
        if near_edge or start[axis] < 0:
            start[axis], stop[axis] = 0, side
    return Box(tuple(start), tuple(stop))


def _resample(
    image: sitk.Image, mask: sitk.Image, box: Box, setting: Mapping[str, Any]
) -> tuple[sitk.Image, sitk.Image]:
    """Resample by pyradiomics, with the image cut where it has no more influence.

    The mask stays whole: pyradiomics lays the new grid from its first voxel.

    Raises:
        ValueError: if the new grid has more voxels than fit into the memory.
    """
    spacing = np.array(image.GetSpacing())
    target = np.array(setting["resampledPixelSpacing"], dtype=float)
    target = np.where(target == 0, spacing, target)
    pad_voxels = (
        np.ceil(
            setting.get("padDistance", _DEFAULTS["padDistance"]) * np.maximum(target / spacing, 1)
        ).astype(int)
        + 1
    )
    _check_voxels(box.grown([int(n) for n in pad_voxels], image.GetSize()), spacing / target)
    kept = box.grown([int(n) + SPLINE_MARGIN for n in pad_voxels], image.GetSize())
    one_voxel_thick = np.subtract(box.stop, box.start) == 1
    if np.allclose(spacing, np.where(one_voxel_thick, spacing, target)):
        # Nothing to interpolate: pyradiomics crops both, and wants them on one grid.
        mask = kept.cut(mask)
    with_defaults = {**_DEFAULTS, **setting, "label": 1}
    return imageoperations.resampleImage(kept.cut(image), mask, **with_defaults)


def _check_voxels(box: Box, voxels_per_voxel: NDArray[np.float64]) -> None:
    n_voxels = float(np.prod(np.subtract(box.stop, box.start) * voxels_per_voxel))
    if n_voxels > MAX_VOXELS:
        raise ValueError(
            f"resampled to resampledPixelSpacing, the tumour and what lies around it would have {n_voxels:.2g} voxels, "
            f"but at most {MAX_VOXELS:.1g} fit into the memory; choose a larger spacing, such as the shipped 1 mm"
        )
