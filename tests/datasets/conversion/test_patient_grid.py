"""Physical points survive to the voxel: scans that are flipped, turned and shifted against each other."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from nnunetv2_adamss.common.images import read_header
from nnunetv2_adamss.common.voxel_grid import VoxelGrid
from nnunetv2_adamss.datasets.conversion.patient_grid import common_grid
from nnunetv2_adamss.datasets.conversion.resample import resample_mask, resample_scan

SLOPE = np.array([1.0, 2.0, -3.0])  # of a value that is a linear function of the physical point
AIR = -1024.0


def turned(angle_degrees: float) -> tuple[float, ...]:
    """Direction of a gantry that is tilted about the patient's left-right axis."""
    c, s = np.cos(np.deg2rad(angle_degrees)), np.sin(np.deg2rad(angle_degrees))
    return (1.0, 0.0, 0.0, 0.0, float(c), float(-s), 0.0, float(s), float(c))


def flipped(*signs: int) -> tuple[float, ...]:
    return tuple(np.diag(signs).astype(float).ravel().tolist())


CT = VoxelGrid((40, 36, 30), (1.0, 1.0, 1.5), (-20.0, -18.0, -22.0), flipped(1, 1, 1))
# Its axes point to the right, to the front and downwards; its middle is near that of the CT.
PET_FLIPPED = VoxelGrid((14, 12, 12), (3.0, 3.5, 4.0), (19.0, 21.0, 20.0), flipped(-1, -1, -1))
PET_PERMUTED = VoxelGrid((12, 14, 12), (4.0, 3.0, 3.5), (-22.0, -20.0, -20.0), (0, 0, 1, 1, 0, 0, 0, 1, 0))
PET_OBLIQUE = VoxelGrid((16, 16, 16), (3.0, 3.0, 3.0), (-22.0, -17.0, -29.0), turned(15))
CT_OBLIQUE = VoxelGrid((40, 36, 30), (1.0, 1.0, 1.5), (-20.0, -12.0, -25.0), turned(-10))
PAIRS = [
    (CT, PET_FLIPPED),
    (CT, PET_PERMUTED),
    (CT, PET_OBLIQUE),
    (CT_OBLIQUE, PET_FLIPPED),
    (CT_OBLIQUE, PET_OBLIQUE),
]


def image_of(grid: VoxelGrid, array_zyx: np.ndarray) -> sitk.Image:
    image = sitk.GetImageFromArray(array_zyx)
    image.SetSpacing(grid.spacing_mm)
    image.SetOrigin(grid.origin_mm)
    image.SetDirection(grid.direction)
    return image


def points_of(image: sitk.Image) -> np.ndarray:
    """The physical point of every voxel, by SimpleITK's own for the first and its neighbours, ``(z, y, x, 3)``."""
    first, *steps = (
        np.array(image.TransformIndexToPhysicalPoint(i)) for i in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))
    )
    z, y, x = np.indices(image.GetSize()[::-1])
    return first + sum(
        index[..., None] * (step - first) for index, step in zip((x, y, z), steps, strict=True)
    )


def linear_image(grid: VoxelGrid) -> sitk.Image:
    empty = image_of(grid, np.zeros(grid.size[::-1], np.float32))
    return image_of(grid, (points_of(empty) @ SLOPE).astype(np.float32))


def test_indices_and_points_are_simpleitks() -> None:
    for grid in (CT, PET_FLIPPED, PET_PERMUTED, PET_OBLIQUE):
        image = image_of(grid, np.zeros(grid.size[::-1], np.uint8))
        index = np.array([[3.25, 7.5, 2.0]])
        point = image.TransformContinuousIndexToPhysicalPoint(index[0].tolist())
        assert grid.points(index)[0] == pytest.approx(point)
        assert grid.indices(np.array([point]))[0] == pytest.approx(index[0])


@pytest.mark.parametrize(("ct", "pet"), PAIRS)
@pytest.mark.parametrize("choice", ["iso", "ct", "pet"])
def test_every_voxel_has_the_value_of_its_physical_point(ct: VoxelGrid, pet: VoxelGrid, choice) -> None:
    grid = common_grid(ct, pet, choice, (1.5, 2.0, 2.5))
    for source in (ct, pet):
        found = resample_scan(linear_image(source), grid, outside=AIR)
        values = sitk.GetArrayFromImage(found)
        indices = source.indices(points_of(found).reshape(-1, 3)).reshape(*values.shape, 3)
        # Smoothing and interpolation change a linear function only where the scan ends.
        middle = ((indices > 5) & (indices < np.array(source.size) - 6)).all(axis=-1)
        if source is pet:
            middle = ((indices > 0) & (indices < np.array(source.size) - 1)).all(axis=-1)
        assert middle.sum() > 20
        assert np.abs(values - points_of(found) @ SLOPE)[middle].max() < (1.0 if source is ct else 1e-2)
        outside = ((indices < -0.51) | (indices > np.array(source.size) - 0.49)).any(axis=-1)
        assert (values[outside] == AIR).all()


@pytest.mark.parametrize(("ct", "pet"), PAIRS)
def test_the_grid_lies_in_both_fields_of_view_as_far_as_their_axes_agree(
    ct: VoxelGrid, pet: VoxelGrid
) -> None:
    for choice in ("iso", "ct", "pet"):
        grid = common_grid(ct, pet, choice)
        own = pet if choice == "pet" else ct
        ends = own.indices(grid.points(np.array([(0, 0, 0), np.array(grid.size) - 1])))
        assert (ends > -0.5).all()
        assert (ends < np.array(own.size) - 0.5).all()


def test_the_overlap_of_two_shifted_cubes_computed_by_hand() -> None:
    # Fields of view: the CT's from 0 to 10 mm on every axis, the PET's from 4 to 16 mm.
    ct = VoxelGrid((10, 10, 10), (1.0, 1.0, 1.0), (0.5, 0.5, 0.5), flipped(1, 1, 1))
    pet = VoxelGrid((4, 4, 4), (3.0, 3.0, 3.0), (5.5, 5.5, 5.5), flipped(1, 1, 1))
    assert common_grid(ct, pet, "iso") == VoxelGrid((6, 6, 6), (1.0,) * 3, (4.5,) * 3, ct.direction)
    assert common_grid(ct, pet, "iso", (4.0,) * 3) == VoxelGrid(
        (1, 1, 1), (4.0,) * 3, (7.0,) * 3, ct.direction
    )
    assert common_grid(ct, pet, "ct") == VoxelGrid((6, 6, 6), (1.0,) * 3, (4.5,) * 3, ct.direction)
    assert common_grid(ct, pet, "pet") == VoxelGrid((2, 2, 2), (3.0,) * 3, (5.5,) * 3, ct.direction)


@pytest.mark.parametrize("choice", ["iso", "ct", "pet"])
def test_scans_that_do_not_overlap_are_an_error(choice) -> None:
    far = VoxelGrid((10, 10, 10), (2.0,) * 3, (500.0, 0.0, 0.0), flipped(1, 1, 1))
    with pytest.raises(ValueError, match="do not overlap"):
        common_grid(CT, far, choice)


def test_an_overlap_without_a_voxel_differs_from_no_overlap() -> None:
    thin = VoxelGrid((10, 10, 10), (2.0,) * 3, (19.9, -10.0, -10.0), flipped(1, 1, 1))  # 0.6 mm of the CT
    with pytest.raises(ValueError, match=r"what both CT and PET saw, 0.6 x .* mm, is smaller than a voxel"):
        common_grid(CT, thin, "iso")
    with pytest.raises(ValueError, match="do not overlap"):
        common_grid(CT, VoxelGrid(thin.size, thin.spacing_mm, (21.0, -10.0, -10.0), thin.direction), "iso")


def test_a_scan_on_its_own_voxels_is_not_interpolated() -> None:
    array = np.random.default_rng(0).normal(size=PET_OBLIQUE.size[::-1]).astype(np.float32)
    block = PET_OBLIQUE.cropped((2, 3, 4), (5, 6, 7))
    found = resample_scan(image_of(PET_OBLIQUE, array), block, outside=0.0)
    assert (sitk.GetArrayFromImage(found) == array[4:11, 3:9, 2:7]).all()
    assert VoxelGrid.of(found).describe() == block.describe()


@settings(max_examples=30, deadline=None)
@given(
    st.tuples(*[st.sampled_from([-1, 1])] * 3),
    st.tuples(*[st.floats(-200, 200)] * 3),
    st.tuples(*[st.floats(0.8, 4)] * 3),
)
def test_a_ball_of_label_stays_where_it_is(signs, origin, spacing) -> None:
    source = VoxelGrid((30, 30, 30), spacing, origin, flipped(*signs))
    centre = source.points(np.array([[14.3, 15.1, 13.8]]))[0]
    radius = 8 * min(spacing)
    empty = image_of(source, np.zeros((30, 30, 30), np.uint8))
    ball = (np.linalg.norm(points_of(empty) - centre, axis=-1) < radius).astype(np.uint8)
    target = common_grid(source, source, "iso", (1.3 * min(spacing),) * 3)
    found = resample_mask(image_of(source, 2 * ball), target)
    values = sitk.GetArrayFromImage(found)
    assert set(np.unique(values)) == {0, 2}
    inside = points_of(found)[values == 2]
    assert np.linalg.norm(inside.mean(axis=0) - centre) < 0.5 * max(spacing)
    assert np.linalg.norm(inside - centre, axis=1).max() < radius + np.linalg.norm(spacing)


def test_a_coarser_grid_sees_the_mean_of_fine_stripes() -> None:
    """Stripes of one voxel: taking every fourth voxel alone would see black or white."""
    fine = VoxelGrid((64, 64, 64), (1.0,) * 3, (0.0,) * 3, flipped(1, 1, 1))
    stripes = np.zeros((64, 64, 64), np.float32)
    stripes[:, :, ::2] = 1000
    coarse = VoxelGrid((12, 12, 12), (4.0,) * 3, (8.0,) * 3, flipped(1, 1, 1))
    found = sitk.GetArrayFromImage(resample_scan(image_of(fine, stripes), coarse, outside=0.0))
    assert np.abs(found - 500).max() < 25


def test_a_file_that_is_not_a_volume_is_an_error(tmp_path: Path) -> None:
    flat = tmp_path / "flat.mha"
    sitk.WriteImage(sitk.Image(4, 4, sitk.sitkFloat32), str(flat))
    with pytest.raises(ValueError, match="2 axes and 1 values a voxel"):
        read_header(flat)
    text = tmp_path / "text.nii.gz"
    text.write_text("no image")
    with pytest.raises(ValueError, match="cannot be read"):
        read_header(text)
