"""Resample an image to another grid."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from nnunetv2_adamss.common.voxel_grid import VoxelGrid

_FWHM_PER_SIGMA = 2 * np.sqrt(2 * np.log(2))
_MARGIN_VOXELS = 3  # voxels beyond the grid that interpolation needs
_MARGIN_SIGMAS = 4


def resample_scan(image: sitk.Image, grid: VoxelGrid, outside: float) -> sitk.Image:
    """Resample a scan to another grid by linear interpolation; if the grid is a block of its voxels, copy them.

    If the grid is coarser, the scan is smoothed first, so that every voxel represents all of its volume.

    Args:
        image: HU or SUV.
        grid: the other grid.
        outside: value of what was not scanned.

    Returns:
        Float32.
    """
    start = grid.start_in(VoxelGrid.of(image))
    if start is not None:
        return sitk.Cast(sitk.RegionOfInterest(image, grid.size, start), sitk.sitkFloat32)
    sigma_mm = _sigma_mm(VoxelGrid.of(image), grid)
    image = sitk.Cast(_around(image, grid, sigma_mm), sitk.sitkFloat32)
    for axis, sigma in enumerate(sigma_mm):
        if sigma > 0 and image.GetSize()[axis] >= 4:  # the recursive filter's minimum
            smooth = sitk.RecursiveGaussianImageFilter()
            smooth.SetDirection(axis)
            smooth.SetSigma(float(sigma))
            image = smooth.Execute(image)
    return _on(image, grid, sitk.sitkLinear, outside)


def resample_mask(image: sitk.Image, grid: VoxelGrid) -> sitk.Image:
    """Resample labels to another grid by nearest neighbours, with background outside of the mask. Uint8."""
    start = grid.start_in(VoxelGrid.of(image))
    if start is not None:
        return sitk.Cast(sitk.RegionOfInterest(image, grid.size, start), sitk.sitkUInt8)
    return _on(sitk.Cast(image, sitk.sitkUInt8), grid, sitk.sitkNearestNeighbor, 0)


def _on(image: sitk.Image, grid: VoxelGrid, interpolator: int, outside: float) -> sitk.Image:
    resample = sitk.ResampleImageFilter()
    resample.SetSize(grid.size)
    resample.SetOutputSpacing(grid.spacing_mm)
    resample.SetOutputOrigin(grid.origin_mm)
    resample.SetOutputDirection(grid.direction)
    resample.SetInterpolator(interpolator)
    resample.SetDefaultPixelValue(outside)
    return resample.Execute(image)


def _sigma_mm(source: VoxelGrid, target: VoxelGrid) -> tuple[float, ...]:
    """Return the smoothing along each axis of the source that gives the target's resolution, 0 where that is finer.

    choice: a Gaussian whose full width at half maximum is ``sqrt(target ** 2 - source ** 2)``, since variances add.
    """
    turned = source.axes.T @ target.axes  # of each of the target's axes (columns) along each of the source's
    wanted_mm = np.sqrt((turned**2) @ np.square(target.spacing_mm))
    added = np.square(wanted_mm) - np.square(source.spacing_mm)
    return tuple((np.sqrt(added.clip(min=0)) / _FWHM_PER_SIGMA).tolist())


def _around(image: sitk.Image, grid: VoxelGrid, sigma_mm: tuple[float, ...]) -> sitk.Image:
    """Cut out the part of an image that the grid's values depend on, to save memory and time."""
    own = VoxelGrid.of(image)
    ends = own.indices(grid.corners())
    margin = _MARGIN_VOXELS + _MARGIN_SIGMAS * np.array(sigma_mm) / own.spacing_mm
    first = np.floor(ends.min(axis=0) - margin).clip(min=0).astype(int)
    last = np.minimum(np.ceil(ends.max(axis=0) + margin).astype(int), np.array(own.size) - 1)
    if (first > last).any():
        return image  # the grid lies outside of the image
    return sitk.RegionOfInterest(image, (last - first + 1).tolist(), first.tolist())
