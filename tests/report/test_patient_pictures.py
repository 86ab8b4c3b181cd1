"""Cuts through a patient, the right way round."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from nnunetv2_adamss.display.blocks import Picture
from nnunetv2_adamss.metrics.volume_and_uptake import TumourMeasures
from nnunetv2_adamss.report.patient_pictures import patient_picture
from nnunetv2_adamss.report.patient_volumes import Channel, PatientVolumes, Volume, channels_of, pet_of

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


def picture_of(channels: list[Channel], mask: Path) -> Picture:
    return patient_picture("case", PatientVolumes.read(channels, mask))


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


def test_the_cuts_are_those_where_the_largest_lesion_is_largest(tmp_path: Path) -> None:
    mask = np.zeros(SHAPE, np.uint8)
    mask[2, ::2, ::2] = 1  # more voxels in one slice, but none touches another
    mask[6, 3:6, 3:7] = 2
    mask[7, 4, 5] = 2
    picture = picture_of(*patient(tmp_path, mask))
    assert "axial slice 7 of 10 from the feet" in picture.description
    assert "coronal slice 5 of 12 from the front" in picture.description
    assert "sagittal slice 6 of 14 from the patient's right" in picture.description
    titles = [f"{name}, {plane}" for name in ("CT", "PET") for plane in ("axial", "coronal", "sagittal")]
    assert picture.description.startswith(f"case: {', '.join(titles)} and PET, projection, with")


def test_an_empty_mask_is_said_to_be_empty(tmp_path: Path) -> None:
    picture = picture_of(*patient(tmp_path, np.zeros(SHAPE, np.uint8)))
    assert "The mask is empty." in picture.description


def test_other_modalities_are_shown_without_a_projection(tmp_path: Path) -> None:
    channels, mask = patient(tmp_path, np.ones(SHAPE, np.uint8))
    picture = picture_of(channels_of(["T1", "T2"], [channel.file for channel in channels]), mask)
    assert picture.description.startswith("case: T1, axial, T1, coronal, T1, sagittal, T2, axial,")
    assert "projection" not in picture.description


def test_uptake_is_that_of_the_raw_pet_in_the_mask(tmp_path: Path) -> None:
    mask = np.zeros(SHAPE, np.uint8)
    mask[1:3, 1, 1], mask[8, 8, 8] = 1, 2
    channels, mask_file = patient(tmp_path, mask)
    pet = np.zeros(SHAPE, np.float32)
    pet[1:3, 1, 1], pet[8, 8, 8], pet[0, 0, 0] = 3, 9, 50
    write(channels[1].file, pet)
    found = TumourMeasures.read(mask_file, pet_of(channels))
    assert (found.suv_max, found.suv_mean, found.n_lesions) == (9, 5, 2)
    assert found.volume_ml == pytest.approx(3 * 2 * 3 * 5 / 1000)
    assert found.lesion_glycolysis == pytest.approx(5 * found.volume_ml)
    assert pet_of(channels_of(["T1", "T2"], [c.file for c in channels])) is None


def test_missing_broken_and_misfitting_files_are_named(tmp_path: Path) -> None:
    channels, mask = patient(tmp_path, np.ones(SHAPE, np.uint8))
    small = write(tmp_path / "small.nii.gz", np.ones((4, 4, 4), np.uint8))
    with pytest.raises(
        ValueError, match=r"mask lies on another grid than .*ct.nii.gz: 4x4x4 .*, not 14x12x10"
    ):
        picture_of(channels, small)
    channels[0].file.write_bytes(b"no image")
    with pytest.raises(ValueError, match="ct.nii.gz cannot be read"):
        picture_of(channels, mask)
    channels[0].file.unlink()
    with pytest.raises(ValueError, match="ct.nii.gz does not exist"):
        picture_of(channels, mask)


def test_a_real_patient_is_shown_where_the_reference_is_largest(real_data: Path) -> None:
    folder = real_data / "Dataset510_STS"
    mask = folder / "labelsTr" / "STS_001.nii.gz"
    images = [folder / "imagesTr" / f"STS_001_{number:04d}.nii.gz" for number in range(2)]
    channels = channels_of(["CT", "PET"], images)
    shown = PatientVolumes.read(channels, mask)
    reference = sitk.DICOMOrient(sitk.ReadImage(str(mask)), "LPS")
    voxels = sitk.GetArrayFromImage(reference) > 0
    volume_ml = voxels.sum() * np.prod(reference.GetSpacing()) / 1000
    lesions = sitk.RelabelComponent(sitk.ConnectedComponent(reference > 0, True), sortByObjectSize=True)
    largest = sitk.GetArrayFromImage(lesions) == 1
    picture = patient_picture("STS_001", shown)
    where = f"axial slice {largest.sum(axis=(1, 2)).argmax() + 1} of {len(voxels)} from the feet"
    assert where in picture.description
    measures = TumourMeasures.read(mask, pet_of(channels))
    assert measures.volume_ml == pytest.approx(volume_ml)
    assert measures.n_lesions == sitk.GetArrayFromImage(lesions).max()
