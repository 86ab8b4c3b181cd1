"""Slices of a patient, the right way round."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from nnunetv2_adamss.report.patient_pictures import Channel, Volume, channels_of, patient_picture

SHAPE = (10, 12, 14)


def write(file: Path, values: np.ndarray, direction: tuple[float, ...] = (1, 0, 0, 0, 1, 0, 0, 0, 1)) -> Path:
    image = sitk.GetImageFromArray(values)
    image.SetSpacing((2.0, 3.0, 5.0))
    image.SetDirection(direction)
    sitk.WriteImage(image, str(file))
    return file


def patient(folder: Path, mask: np.ndarray) -> tuple[list[Channel], Path]:
    images = [
        write(folder / "ct.nii.gz", np.zeros(SHAPE, np.float32)),
        write(folder / "pet.nii.gz", np.ones(SHAPE, np.float32)),
    ]
    return channels_of(["CT", "PET"], images), write(folder / "mask.nii.gz", mask)


def test_images_are_turned_so_that_the_patients_left_is_on_the_right_whatever_the_file_says(
    tmp_path: Path,
) -> None:
    values = np.zeros(SHAPE, np.float32)
    values[1, 2, 3] = 1
    # The same body in a file whose x and y run the other way.
    turned = values[:, ::-1, ::-1].copy()
    plain = Volume.of(sitk.ReadImage(write(tmp_path / "lps.nii.gz", values)))
    other = Volume.of(sitk.ReadImage(write(tmp_path / "ras.nii.gz", turned, (-1, 0, 0, 0, -1, 0, 0, 0, 1))))
    np.testing.assert_array_equal(plain.values, values)
    np.testing.assert_array_equal(other.values, values)
    assert plain.spacing_mm == (5.0, 3.0, 2.0)


def test_the_slice_is_the_one_where_the_mask_is_largest(tmp_path: Path) -> None:
    mask = np.zeros(SHAPE, np.uint8)
    mask[2, 3, 3] = 1
    mask[6, 3:6, 3:6] = 2
    picture = patient_picture("case", *patient(tmp_path, mask))
    assert "slice 7 of 10 from the feet" in picture.description
    assert f"volume is {10 * 2 * 3 * 5 / 1000:.1f} ml" in picture.description
    assert picture.description.startswith("case: CT, axial, PET, axial and PET, projection from the front")


def test_an_empty_mask_is_said_to_be_empty(tmp_path: Path) -> None:
    picture = patient_picture("case", *patient(tmp_path, np.zeros(SHAPE, np.uint8)))
    assert "The mask is empty." in picture.description


def test_other_modalities_are_shown_too(tmp_path: Path) -> None:
    channels, mask = patient(tmp_path, np.ones(SHAPE, np.uint8))
    picture = patient_picture("case", channels_of(["T1", "T2"], [channel.file for channel in channels]), mask)
    assert picture.description.startswith("case: T1, axial, T2, axial and T2, middle coronal")


def test_missing_broken_and_misfitting_files_are_named(tmp_path: Path) -> None:
    channels, mask = patient(tmp_path, np.ones(SHAPE, np.uint8))
    small = write(tmp_path / "small.nii.gz", np.ones((4, 4, 4), np.uint8))
    with pytest.raises(
        ValueError, match=r"mask lies on another grid than .*ct.nii.gz: 4x4x4 .*, not 14x12x10"
    ):
        patient_picture("case", channels, small)
    channels[0].file.write_bytes(b"no image")
    with pytest.raises(ValueError, match="ct.nii.gz cannot be read"):
        patient_picture("case", channels, mask)
    channels[0].file.unlink()
    with pytest.raises(ValueError, match=r"there is no .*ct.nii.gz"):
        patient_picture("case", channels, mask)


def test_a_real_patient_is_shown_where_the_reference_is_largest(real_data: Path) -> None:
    folder = real_data / "Dataset510_STS"
    mask = folder / "labelsTr" / "STS_001.nii.gz"
    images = [folder / "imagesTr" / f"STS_001_{number:04d}.nii.gz" for number in range(2)]
    channels = channels_of(["CT", "PET"], images)
    reference = sitk.DICOMOrient(sitk.ReadImage(str(mask)), "LPS")
    voxels = sitk.GetArrayFromImage(reference) > 0
    volume_ml = voxels.sum() * np.prod(reference.GetSpacing()) / 1000
    picture = patient_picture("STS_001", channels, mask)
    assert (
        f"slice {voxels.sum(axis=(1, 2)).argmax() + 1} of {len(voxels)} from the feet" in picture.description
    )
    assert f"{volume_ml:.1f} ml" in picture.description
