"""pyradiomics with the same results in less time: steps that several feature classes share are computed once."""

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from radiomics import getFeatureClasses, imageoperations
from radiomics.featureextractor import RadiomicsFeatureExtractor

from nnunetv2_adamss.radiomics.setting_values import MAX_BINS
from nnunetv2_adamss.radiomics.shape import FastShape

_BIN_WIDTH = 25  # pyradiomics' default


class FastExtractor(RadiomicsFeatureExtractor):
    """pyradiomics' extractor; discretises each image once, and measures shape without all pairs of vertices."""

    def computeShape(  # noqa: N802
        self, image: sitk.Image, mask: sitk.Image, bounding_box: Sequence[int], **kwargs: Any
    ) -> dict[str, Any]:
        """Compute the features of shape, by name."""
        values: dict[str, Any] = {}
        if "shape" in self.enabledFeatures:
            cropped = imageoperations.cropToTumorMask(image, mask, bounding_box)
            values = self._computed("original", "shape", FastShape(*cropped, **kwargs))
        if "shape2D" in self.enabledFeatures:
            flat = copy(self)
            flat.enabledFeatures = {"shape2D": self.enabledFeatures["shape2D"]}
            values |= RadiomicsFeatureExtractor.computeShape(flat, image, mask, bounding_box, **kwargs)
        return values

    def computeFeatures(  # noqa: N802
        self,
        image: sitk.Image,
        mask: sitk.Image,
        image_type: str,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Compute the features of one image, by name, without shape, as in pyradiomics."""
        bins = _Bins()
        values: dict[str, Any] = {}
        for class_name in self.enabledFeatures:
            if not class_name.startswith("shape"):
                calculator = _FAST_CLASSES[class_name](image, mask, bins=bins, **kwargs)
                values |= self._computed(image_type, class_name, calculator)
        return values

    def _computed(self, image_type: str, class_name: str, calculator: Any) -> dict[str, Any]:
        for name in self.enabledFeatures[class_name] or []:
            calculator.enableFeatureByName(name)
        return {f"{image_type}_{class_name}_{name}": value for name, value in calculator.execute().items()}


class TooManyBinsError(ValueError):
    """Raised if a region has more grey levels than fit into memory."""


class _Bins:
    """The grey levels of one image, computed at the first call."""

    def __init__(self) -> None:
        self._found: tuple[NDArray[np.int_], NDArray[np.int_]] | None = None

    def of(
        self, image: NDArray[Any], region: NDArray[np.bool_], settings: Mapping[str, Any]
    ) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
        """Grey level of every voxel, from 1 in the region and 0 outside, and those that occur, ascending.

        Raises:
            TooManyBinsError: with their number and a sensible bin width.
        """
        if self._found is None:
            inside = image[region]
            _check_bins(float(inside.min()), float(inside.max()), settings)
            # Edges depend on the extremes alone, but pyradiomics looks for them with Python's own min and max.
            extremes = np.array([inside.min(), inside.max()])
            levels = np.digitize(inside, imageoperations.getBinEdges(extremes, **settings))
            matrix = np.zeros(image.shape, dtype="int")
            matrix[region] = levels
            self._found = matrix, np.unique(levels)
        return self._found


def _check_bins(lowest: float, highest: float, settings: Mapping[str, Any]) -> None:
    bin_width = settings.get("binWidth", _BIN_WIDTH)
    if settings.get("binCount") is not None or (highest - lowest) / bin_width <= MAX_BINS:
        return
    raise TooManyBinsError(
        f"values from {lowest:g} to {highest:g} in bins of {bin_width:g} (binWidth) make "
        f"{(highest - lowest) / bin_width:.3g} bins, but at most {MAX_BINS:,} fit into the memory; 16 to 128 are "
        f"usual, so binWidth should be {(highest - lowest) / 64:.2g} or so"
    )


class _SharedBins:
    """Mixin that replaces the discretisation in a feature class of pyradiomics."""

    def _applyBinning(self, matrix: NDArray[Any]) -> NDArray[np.int_]:  # noqa: N802
        settings: dict[str, Any] = self.settings  # type: ignore[attr-defined]
        levels, present = settings["bins"].of(matrix, self.maskArray, settings)  # type: ignore[attr-defined]
        self.coefficients.update(grayLevels=present, Ng=int(present[-1]))  # type: ignore[attr-defined]
        return levels


class _FastFirstOrder:
    """Mixin that replaces two steps of the first-order features; sums change order, so results differ by rounding."""

    def _initCalculation(self, voxelCoordinates: None = None) -> None:  # noqa: N802, N803
        super()._initCalculation(voxelCoordinates)  # type: ignore[misc]
        # Sorted once, since percentiles would sort seven times for each image.
        self.targetVoxelArray.sort(axis=1)  # type: ignore[attr-defined]

    @staticmethod
    def _moment(a: NDArray[np.float64], moment: int = 1) -> NDArray[np.float64]:
        """Central moments of the rows, ``(rows,)``; products are many times faster than powers."""
        deviation = a - np.nanmean(a, 1, keepdims=True)
        power = deviation
        for _ in range(moment - 1):
            power = power * deviation
        return np.nanmean(power, 1)


def _fast_class(name: str, original: type) -> type:
    bases = (*((_FastFirstOrder,) if name == "firstorder" else ()), _SharedBins, original)
    # In the original's module: pyradiomics names its loggers by it.
    return type(original.__name__, bases, {"__module__": original.__module__})


_FAST_CLASSES = {name: _fast_class(name, original) for name, original in getFeatureClasses().items()}
