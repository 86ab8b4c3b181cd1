"""Maps lie where the image lies, whichever of nnU-Net's readers read it."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from nnunetv2.imageio.base_reader_writer import BaseReaderWriter
from nnunetv2.imageio.nibabel_reader_writer import NibabelIO, NibabelIOWithReorient
from nnunetv2.imageio.simpleitk_reader_writer import SimpleITKIO, SimpleITKIOWithReorient

from nnunetv2_adamss.explanation.image_geometry import ImageGeometry

READERS = [SimpleITKIO, SimpleITKIOWithReorient, NibabelIO, NibabelIOWithReorient]
TILT = 0.2
# Columns: where the file's first, second and third axis run to (left, back, up).
DIRECTIONS = {
    "as ITK": np.eye(3),
    "to the right and front": np.diag([-1.0, -1, 1]),
    "sagittal": np.array([[0.0, 0, 1], [1, 0, 0], [0, -1, 0]]),
    "tilted": np.array([[1, 0, 0], [0, np.cos(TILT), -np.sin(TILT)], [0, np.sin(TILT), np.cos(TILT)]]),
}


def image(direction: str) -> sitk.Image:
    written = sitk.GetImageFromArray(np.random.default_rng(0).normal(size=(4, 5, 6)).astype(np.float32))
    written.SetSpacing((1.0, 1.5, 3.0))
    written.SetOrigin((10.0, -20.0, 30.0))
    written.SetDirection(DIRECTIONS[direction].ravel())
    return written


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("reader", READERS)
def test_what_a_reader_read_is_written_as_it_was(
    reader: type[BaseReaderWriter], direction: str, tmp_path: Path
) -> None:
    raw = image(direction)
    sitk.WriteImage(raw, str(tmp_path / "case_0000.nii.gz"))
    array, properties = reader().read_images([str(tmp_path / "case_0000.nii.gz")])
    ImageGeometry.of_case(properties).write(array[0], tmp_path / "map.nii.gz")
    found = sitk.ReadImage(str(tmp_path / "map.nii.gz"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(found), sitk.GetArrayFromImage(raw))
    np.testing.assert_allclose(found.GetSpacing(), raw.GetSpacing(), rtol=1e-5)
    np.testing.assert_allclose(found.GetOrigin(), raw.GetOrigin(), atol=1e-4)
    np.testing.assert_allclose(found.GetDirection(), raw.GetDirection(), atol=1e-5)


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("reader", READERS)
def test_pictures_have_the_front_above_and_the_patients_left_on_the_right(
    reader: type[BaseReaderWriter], direction: str, tmp_path: Path
) -> None:
    raw = image(direction)
    sitk.WriteImage(raw, str(tmp_path / "case_0000.nii.gz"))
    array, properties = reader().read_images([str(tmp_path / "case_0000.nii.gz")])
    geometry = ImageGeometry.of_case(properties)
    # ITK's own way to turn an image; its array has the axes up, back, left.
    expected = sitk.DICOMOrient(raw, "LPS")
    np.testing.assert_array_equal(geometry.turned(array[0]).T, sitk.GetArrayFromImage(expected))
    np.testing.assert_allclose(geometry.view_spacing_mm, expected.GetSpacing(), rtol=1e-5)


def test_an_image_without_a_place_has_its_spacing(tmp_path: Path) -> None:
    geometry = ImageGeometry.of_case({"spacing": [3.0, 2.0, 1.0]})
    geometry.write(np.ones((2, 3, 4), dtype=np.float32), tmp_path / "map.nii.gz")
    assert sitk.ReadImage(str(tmp_path / "map.nii.gz")).GetSpacing() == (1.0, 2.0, 3.0)
