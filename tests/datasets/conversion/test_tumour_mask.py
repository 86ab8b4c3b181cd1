"""What is said of a tumour that is not, or not as it was, on the grid of the images."""

import numpy as np
import pytest
import SimpleITK as sitk

from nnunetv2_adamss.common.voxel_grid import VoxelGrid
from nnunetv2_adamss.datasets.conversion.resample import resample_mask
from nnunetv2_adamss.datasets.conversion.tumour_mask import mask_warnings

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
LABELS = {"background": 0, "GTVp": 1, "GTVn": 2}


def mask(*blocks: tuple[int, slice]) -> sitk.Image:
    """Cubes of a label in voxels of 1 mm, along the diagonal."""
    array = np.zeros((40, 40, 40), np.uint8)
    for value, part in blocks:
        array[part, part, part] = value
    return sitk.GetImageFromArray(array)


def warnings(source: sitk.Image, spacing: float, size: int, first: float) -> list[str]:
    grid = VoxelGrid((size,) * 3, (spacing,) * 3, (first,) * 3, IDENTITY)
    return mask_warnings(source, resample_mask(source, grid), LABELS)


@pytest.mark.parametrize("first", np.arange(0, 3, 0.25))
@pytest.mark.parametrize("side", [3, 4, 5])
def test_a_small_lesion_inside_is_not_called_lost_however_it_is_sampled(first: float, side: int) -> None:
    lesion = mask((2, slice(17, 17 + side)))
    volume = sitk.GetArrayFromImage(
        resample_mask(lesion, VoxelGrid((13,) * 3, (3.0,) * 3, (first,) * 3, IDENTITY))
    )
    assert (volume == 2).any()
    assert warnings(lesion, 3.0, 13, first) == []


def test_the_share_that_lies_outside_is_that_of_the_published_voxels() -> None:
    source = mask((1, slice(10, 20)), (2, slice(25, 30)))
    # The grid ends at 17.5 mm on every axis: 8 of 10 voxels along each are inside.
    found = warnings(source, 1.0, 18, 0.0)
    assert found == [
        f"{1 - 0.8**3:.0%} of GTVp lies outside of the images",
        "100% of GTVn lies outside of the images",
    ]


def test_a_label_between_the_voxels_is_said_to_have_none() -> None:
    found = warnings(mask((1, slice(5, 25)), (2, slice(32, 33))), 5.0, 8, 0.0)
    assert found == ["GTVn is smaller than the voxels and has none; smaller ones keep it (--spacing)"]


def test_an_empty_mask_is_said() -> None:
    assert warnings(mask(), 1.0, 40, 0.0) == ["the mask is empty"]
