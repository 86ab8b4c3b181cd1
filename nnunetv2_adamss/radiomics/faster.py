"""pyradiomics with the same numbers in less time: what several feature classes need is computed once."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from radiomics import getFeatureClasses, imageoperations
from radiomics.featureextractor import RadiomicsFeatureExtractor


class FastExtractor(RadiomicsFeatureExtractor):
    """pyradiomics' extractor; each image is discretised once instead of once for each feature class."""

    def computeFeatures(  # noqa: N802
        self,
        image: sitk.Image,
        mask: sitk.Image,
        image_type: str,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """The features of one image, by name; shape apart, as in pyradiomics."""
        bins = _Bins()
        values = {}
        for class_name, feature_names in self.enabledFeatures.items():
            if class_name.startswith("shape"):
                continue
            calculator = _FAST_CLASSES[class_name](image, mask, bins=bins, **kwargs)
            for name in feature_names or []:
                calculator.enableFeatureByName(name)
            for name, value in calculator.execute().items():
                values[f"{image_type}_{class_name}_{name}"] = value
        return values


class _Bins:
    """The grey levels of one image, computed at the first call."""

    def __init__(self) -> None:
        self._found: tuple[NDArray[np.int_], NDArray[np.int_]] | None = None

    def of(
        self, image: NDArray[Any], region: NDArray[np.bool_], settings: Mapping[str, Any]
    ) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
        """Grey level of every voxel, from 1 in the region and 0 outside, and those that occur, ascending."""
        if self._found is None:
            inside = image[region]
            # Edges depend on the extremes alone, but pyradiomics looks for them with Python's own min and max.
            extremes = np.array([inside.min(), inside.max()])
            levels = np.digitize(inside, imageoperations.getBinEdges(extremes, **settings))
            matrix = np.zeros(image.shape, dtype="int")
            matrix[region] = levels
            self._found = matrix, np.unique(levels)
        return self._found


class _SharedBins:
    """Takes the place of the discretisation in a feature class of pyradiomics."""

    def _applyBinning(self, matrix: NDArray[Any]) -> NDArray[np.int_]:  # noqa: N802
        settings: dict[str, Any] = self.settings  # type: ignore[attr-defined]
        levels, present = settings["bins"].of(matrix, self.maskArray, settings)  # type: ignore[attr-defined]
        self.coefficients.update(grayLevels=present, Ng=int(present[-1]))  # type: ignore[attr-defined]
        return levels


class _FastFirstOrder:
    """Takes the place of two steps of the first-order features; sums come in another order, so to rounding only."""

    def _initCalculation(self, voxelCoordinates: None = None) -> None:  # noqa: N802, N803
        super()._initCalculation(voxelCoordinates)  # type: ignore[misc]
        # Sorted once, percentiles need not look for their place, seven times for each image.
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
