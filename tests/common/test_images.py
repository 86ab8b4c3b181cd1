"""The door for images and masks: what is read, what is brought to an image's axes, and what is refused."""

import gzip
import logging
import struct
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from nibabel.orientations import axcodes2ornt, ornt_transform

from nnunetv2_adamss.common.images import (
    MASK,
    are_stored_alike,
    constant_images,
    load_image,
    read_header,
    read_image,
    read_mask,
    read_on_one_grid,
    tumour_of,
)
from nnunetv2_adamss.common.nifti import is_whole

AFFINE = np.array([[2.0, 0, 0, -10], [0, 3, 0, 5], [0, 0, 4, 7], [0, 0, 0, 1]])


def write(
    file: Path, voxels: np.ndarray, affine: np.ndarray = AFFINE, orientation: str | None = None
) -> Path:
    """Write voxels ``(x, y, z)`` by nibabel, which this package's reader is independent of."""
    image = nibabel.Nifti1Image(voxels, affine)
    if orientation is not None:
        own = nibabel.io_orientation(image.affine)
        image = image.as_reoriented(ornt_transform(own, axcodes2ornt(orientation)))
    image.header.set_xyzt_units("mm")
    nibabel.save(image, file)
    return file


@pytest.fixture
def voxels() -> np.ndarray:
    """Noise of another length along each axis."""
    return np.random.default_rng(0).normal(size=(5, 6, 7)).astype(np.float32)


def test_the_tumour_is_the_union_of_the_foreground_labels_without_the_ignored_one() -> None:
    mask = np.array([[[0, 1, 2, 3]]])
    assert tumour_of(mask, ignore_label=3).tolist() == [[[False, True, True, False]]]
    assert tumour_of(mask, ignore_label=None).tolist() == [[[False, True, True, True]]]


def test_images_and_mask_get_the_axes_of_the_first(tmp_path: Path, voxels: np.ndarray) -> None:
    ct, pet = (
        write(tmp_path / "ct.nii.gz", voxels),
        write(tmp_path / "pet.nii.gz", voxels + 9, orientation="LIP"),
    )
    labels = (voxels > 0).astype(np.uint8)
    mask = write(tmp_path / "mask.nii", labels, orientation="PSR")
    read = read_on_one_grid({"CT": ct, "PET": pet}, mask)
    np.testing.assert_array_equal(read["CT"].voxels, voxels.T)
    np.testing.assert_array_equal(read["PET"].voxels, (voxels + 9).T)
    np.testing.assert_array_equal(read[MASK].voxels, labels.T)
    assert read["CT"].grid == read["PET"].grid == read[MASK].grid
    expected = sitk.ReadImage(str(ct))
    assert read[MASK].itk().GetOrigin() == expected.GetOrigin()
    assert read[MASK].itk().GetDirection() == expected.GetDirection()
    np.testing.assert_array_equal(read_mask(mask, read_header(ct)), labels.T)
    assert not are_stored_alike([ct, pet])
    assert are_stored_alike([ct, ct])


def test_a_pet_whose_origin_was_rounded_lies_on_the_cts_grid(tmp_path: Path, voxels: np.ndarray) -> None:
    rounded = AFFINE.copy()
    rounded[0, 3] += 0.004 * 2
    files = {
        "CT": write(tmp_path / "ct.nii.gz", voxels),
        "PET": write(tmp_path / "pet.nii.gz", voxels, rounded),
    }
    assert read_on_one_grid(files)["PET"].grid == read_header(files["CT"])


def test_another_grid_is_refused_with_both_geometries(tmp_path: Path, voxels: np.ndarray) -> None:
    moved = AFFINE.copy()
    moved[2, 3] += 2
    files = {
        "CT": write(tmp_path / "ct.nii.gz", voxels),
        "PET": write(tmp_path / "pet.nii.gz", voxels, moved),
    }
    sentence = (
        r"PET lies on another grid than CT: 5x6x7 voxels of 2x3x4 mm from \(10, -5, 9\) mm with axes \(-1, 0, 0, "
        r"0, -1, 0, 0, 0, 1\), not 5x6x7 voxels of 2x3x4 mm from \(10, -5, 7\) mm with axes \(-1, "
    )
    with pytest.raises(ValueError, match=sentence):
        read_on_one_grid(files)


def test_a_mirrored_image_is_another_grid(tmp_path: Path, voxels: np.ndarray) -> None:
    mirrored = AFFINE.copy()
    mirrored[0, 0] *= -1
    files = {
        "CT": write(tmp_path / "ct.nii.gz", voxels),
        "PET": write(tmp_path / "pet.nii.gz", voxels, mirrored),
    }
    with pytest.raises(ValueError, match="PET lies on another grid than CT"):
        read_on_one_grid(files)


def test_a_file_whose_name_is_wrong_about_compression_is_read(tmp_path: Path, voxels: np.ndarray) -> None:
    plain = write(tmp_path / "plain.nii", voxels)
    misnamed = tmp_path / "misnamed.nii.gz"
    misnamed.write_bytes(plain.read_bytes())
    compressed = tmp_path / "compressed.nii"
    compressed.write_bytes(gzip.compress(plain.read_bytes()))
    for file in (misnamed, compressed):
        np.testing.assert_array_equal(read_image(file).voxels, voxels.T)
        assert read_image(file).grid == read_image(plain).grid


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_a_file_that_was_cut_off_is_named_though_simpleitk_fills_it_with_zeros(
    tmp_path: Path, ending: str
) -> None:
    noise = np.random.default_rng(1).normal(size=(30, 30, 30))
    file = write(tmp_path / f"cut{ending}", noise)
    file.write_bytes(file.read_bytes()[:-5000])
    assert (sitk.GetArrayFromImage(sitk.ReadImage(str(file)))[-1] == 0).any()
    with pytest.raises(ValueError, match=rf"cut{ending} is cut off or damaged"):
        read_image(file)


def test_voxels_that_are_no_numbers_are_counted(tmp_path: Path, voxels: np.ndarray) -> None:
    voxels[0, 0, :3] = [np.nan, np.inf, -np.inf]
    file = write(tmp_path / "holes.nii.gz", voxels)
    with pytest.raises(ValueError, match=r"holes.nii.gz has 3 voxels that are not finite numbers"):
        read_image(file)
    assert load_image(file).image.voxels.shape == (7, 6, 5)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_voxels_without_a_size_are_refused_where_simpleitk_takes_1_mm(
    tmp_path: Path, voxels: np.ndarray, name: str
) -> None:
    content = bytearray(write(tmp_path / "whole.nii", voxels).read_bytes())
    content[80:84] = struct.pack("<f", 0.0)  # pixdim[1]
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else bytes(content))
    assert sitk.ReadImage(str(tmp_path / name)).GetSpacing()[0] == 1
    with pytest.raises(ValueError, match=rf"{name} has voxels of 0x3x4 mm"):
        read_header(tmp_path / name)


def test_axes_that_are_nearly_at_right_angles_are_read_and_tilted_ones_only_as_arrays(
    tmp_path: Path, voxels: np.ndarray
) -> None:
    for shear, is_right in ((0.001, True), (0.2, False)):
        affine = AFFINE.copy()
        affine[0, 2] = 4 * shear
        file = write(tmp_path / "tilted.nii.gz", voxels, affine)
        with pytest.raises(RuntimeError, match="orthonormal"):
            sitk.ReadImage(str(file))
        image = read_image(file)
        np.testing.assert_array_equal(image.voxels, voxels.T)
        # A mask of the same scan lies on the same grid, tilted as it is.
        mask = write(tmp_path / "mask.nii.gz", voxels, affine, orientation="LPI")
        np.testing.assert_array_equal(read_mask(mask, image.grid), voxels.T)
        if is_right:
            assert image.itk().GetSpacing() == pytest.approx((2, 3, 4), rel=1e-5)
        else:
            with pytest.raises(ValueError, match="its axes are not at right angles"):
                image.itk()


def test_a_header_that_contradicts_itself_is_warned_of(
    tmp_path: Path, voxels: np.ndarray, caplog: pytest.LogCaptureFixture
) -> None:
    image = nibabel.Nifti1Image(voxels, AFFINE)
    moved = AFFINE.copy()
    moved[0, 3] += 10
    image.set_sform(AFFINE, 1)
    image.set_qform(moved, 1)
    nibabel.save(image, tmp_path / "two.nii.gz")
    with caplog.at_level(logging.WARNING):
        read_image(tmp_path / "two.nii.gz")
    assert "two.nii.gz does not say clearly where it lies" in caplog.text
    caplog.clear()
    read_image(write(tmp_path / "one.nii.gz", voxels))
    assert caplog.text == ""


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_the_newer_nifti_is_read_too(tmp_path: Path, voxels: np.ndarray, name: str) -> None:
    nibabel.save(nibabel.Nifti2Image(voxels, AFFINE), tmp_path / name)
    assert is_whole(tmp_path / name)
    image = read_image(tmp_path / name)
    np.testing.assert_array_equal(image.voxels, voxels.T)
    assert image.grid.spacing_mm == (2, 3, 4)


def test_images_of_one_value_are_found(tmp_path: Path, voxels: np.ndarray) -> None:
    files = {
        "CT": write(tmp_path / "ct.nii.gz", voxels),
        "PET": write(tmp_path / "pet.nii.gz", 0 * voxels + 2.5),
    }
    assert list(constant_images(read_on_one_grid(files))) == ["PET is 2.5 in every voxel"]


def test_a_file_that_is_not_a_volume_is_named(tmp_path: Path) -> None:
    text = tmp_path / "text.nii.gz"
    text.write_text("no image")
    sitk.WriteImage(sitk.Image([4, 4, 4], sitk.sitkVectorUInt8, 3), str(tmp_path / "colours.mha"))
    write(tmp_path / "series.nii.gz", np.zeros((3, 3, 3, 2)))
    for name, sentence in {
        "text.nii.gz": "text.nii.gz cannot be read as an image",
        "colours.mha": "colours.mha has 3 axes and 3 values a voxel, expected 3 and 1",
        "series.nii.gz": "series.nii.gz has 4 axes and 1 values a voxel",
        "nothing.nii": "nothing.nii does not exist",
    }.items():
        with pytest.raises(ValueError, match=sentence):
            read_image(tmp_path / name)
