"""Check a published mask, and its losses on another grid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from nnunetv2_adamss.common.voxel_grid import VoxelGrid

_LEAST_KEPT = 0.9
_FLOATS = (sitk.sitkFloat32, sitk.sitkFloat64)
_ROUNDING = 1e-3  # tolerance for labels that a header scales


def checked_mask(mask: sitk.Image, labels: Mapping[str, int]) -> sitk.Image:
    """Return the mask as uint8.

    Raises:
        ValueError: if it has other values than the labels.
    """
    values = np.unique(sitk.GetArrayViewFromImage(mask)).astype(float)
    known = np.array(list(labels.values()))
    unknown = [f"{value:g}" for value in values if np.abs(known - value).min() > _ROUNDING]
    if unknown:
        expected = ", ".join(f"{value} = {name}" for name, value in labels.items())
        raise ValueError(f"its mask has the values {', '.join(unknown[:5])}; expected {expected}")
    return sitk.Cast(sitk.Round(mask) if mask.GetPixelID() in _FLOATS else mask, sitk.sitkUInt8)


def centroid_mm(mask: sitk.Image) -> tuple[float, ...]:
    """Return the centroid of all labels, as a physical point.

    Raises:
        ValueError: if the mask is empty.
    """
    shape = sitk.LabelShapeStatisticsImageFilter()
    shape.Execute(mask > 0)
    if not shape.HasLabel(1):
        raise ValueError(
            "its mask is empty, so no box can be cut around a tumour (--field_mm none keeps the image)"
        )
    return tuple(shape.GetCentroid(1))


def mask_warnings(source: sitk.Image, label: sitk.Image, labels: Mapping[str, int]) -> list[str]:
    """Describe losses of a published mask on the grid of the images.

    Args:
        source: as published.
        label: on the grid of the images.
        labels: as in ``dataset.json``.
    """
    before, after = (sitk.GetArrayViewFromImage(image) for image in (source, label))
    parts = {name: value for name, value in labels.items() if value > 0 and (before == value).any()}
    warnings = [] if parts else ["the mask is empty"]
    for name, value in parts.items():
        outside = _share_outside(before == value, VoxelGrid.of(source), VoxelGrid.of(label))
        if outside > 1 - _LEAST_KEPT:
            warnings.append(f"{outside:.0%} of {name} lies outside of the images")
        elif not (after == value).any():
            warnings.append(
                f"{name} is smaller than the voxels and has none; smaller ones keep it (--spacing)"
            )
    return warnings


def _share_outside(part: NDArray[Any], source: VoxelGrid, grid: VoxelGrid) -> float:
    """Return the fraction of a mask's voxels, ``(z, y, x)``, whose centres lie outside of the grid's field of view.

    Volumes are not compared, since a lesion of a few voxels may gain or lose a third of them by sampling.
    """
    indices = grid.indices(source.points(np.argwhere(part)[:, ::-1]))
    inside = (indices >= -0.5 - 1e-6) & (indices <= np.array(grid.size) - 0.5 + 1e-6)
    return 1 - float(inside.all(axis=1).mean())
