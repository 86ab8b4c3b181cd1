"""A mask is read along the axes of its case, whatever reader nnU-Net took and however the mask is stored."""

import gzip
import logging
import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nibabel
import numpy as np
import pytest
from nibabel.orientations import axcodes2ornt, ornt_transform
from nnunetv2.imageio.nibabel_reader_writer import NibabelIO, NibabelIOWithReorient
from nnunetv2.imageio.simpleitk_reader_writer import SimpleITKIO, SimpleITKIOWithReorient
from nnunetv2.imageio.tif_reader_writer import Tiff3DIO

from nnunetv2_adamss.survival.nnunet_data.case_geometry import read_case_mask

LABELS = (np.random.default_rng(0).random((5, 6, 7)) > 0.6).astype(np.uint8)
# Neither along the patient's axes nor in nnU-Net's order of them.
AFFINE = np.array([[0, -2.9, 0.775, 40], [1.98, 0.07, 0.26, -12], [-0.28, 0.75, 2.99, 5], [0, 0, 0, 1]])
AFFINE[:3, :3] = np.linalg.svd(AFFINE[:3, :3])[0] @ np.linalg.svd(AFFINE[:3, :3])[2] * [2, 3, 4]


def write(file: Path, orientation: str | None = None) -> str:
    image = nibabel.Nifti1Image(LABELS, AFFINE)
    if orientation is not None:
        image = image.as_reoriented(
            ornt_transform(nibabel.io_orientation(image.affine), axcodes2ornt(orientation))
        )
    nibabel.save(image, file)
    return str(file)


def plan_of(reader: type) -> Any:
    return SimpleNamespace(transpose_backward=[1, 0, 2], image_reader_writer_class=reader)


@pytest.mark.parametrize("reader", [SimpleITKIO, SimpleITKIOWithReorient, NibabelIO, NibabelIOWithReorient])
@pytest.mark.parametrize("orientation", ["LPS", "RAS", "SRP", "IAL"])
def test_a_mask_along_other_axes_is_read_as_one_along_the_images_axes(
    tmp_path: Path, reader: type, orientation: str
) -> None:
    read, properties = reader().read_images([write(tmp_path / "image.nii.gz")])
    # As nnU-Net's preprocessing leaves it: transposed by [1, 0, 2].
    properties["shape_before_cropping"] = tuple(read.shape[1:][axis] for axis in (1, 0, 2))
    mask = Path(write(tmp_path / "mask.nii.gz", orientation))
    np.testing.assert_array_equal(read_case_mask(mask, properties, plan_of(reader)), read[0])


# Where SimpleITK and nibabel place the same file differently: no codes, voxel sizes that contradict each other, and
# a unit that only SimpleITK takes into account.
UNCLEAR = {
    "codes": (252, struct.pack("<hh", 0, 0)),
    "size": (80, struct.pack("<fff", 1, 1, 1)),
    "unit": (123, b"\x03"),
}


@pytest.mark.parametrize("reader", [SimpleITKIO, SimpleITKIOWithReorient, NibabelIO, NibabelIOWithReorient])
@pytest.mark.parametrize("what", list(UNCLEAR))
def test_a_mask_with_the_same_unclear_header_as_its_image_lies_on_it(
    tmp_path: Path, reader: type, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    place, value = UNCLEAR[what]
    for name in ("image.nii.gz", "mask.nii.gz"):
        content = bytearray(gzip.decompress(Path(write(tmp_path / name)).read_bytes()))
        content[place : place + len(value)] = value
        (tmp_path / name).write_bytes(gzip.compress(bytes(content)))
    read, properties = reader().read_images([str(tmp_path / "image.nii.gz")])
    properties["shape_before_cropping"] = tuple(read.shape[1:][axis] for axis in (1, 0, 2))
    with caplog.at_level(logging.WARNING):
        found = read_case_mask(tmp_path / "mask.nii.gz", properties, plan_of(reader))
    np.testing.assert_array_equal(found, read[0])
    assert "mask.nii.gz does not say clearly where it lies" in caplog.text


def test_a_mask_on_another_grid_is_refused(tmp_path: Path) -> None:
    read, properties = SimpleITKIO().read_images([write(tmp_path / "image.nii.gz")])
    properties["shape_before_cropping"] = tuple(read.shape[1:][axis] for axis in (1, 0, 2))
    shift = np.zeros((4, 4))
    shift[0, 3] = 3
    moved = nibabel.Nifti1Image(LABELS, AFFINE + shift)
    nibabel.save(moved, tmp_path / "mask.nii.gz")
    with pytest.raises(ValueError, match=r"mask.nii.gz lies on another grid than its image: 5x6x7 voxels"):
        read_case_mask(tmp_path / "mask.nii.gz", properties, plan_of(SimpleITKIO))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_formats_without_a_place_are_compared_by_their_shape(tmp_path: Path) -> None:
    file = tmp_path / "mask.tif"
    Tiff3DIO().write_seg(LABELS.T, str(file), {"spacing": (1.0, 1.0, 1.0)})
    properties = {"spacing": (1.0, 1.0, 1.0), "shape_before_cropping": (6, 7, 5)}
    np.testing.assert_array_equal(read_case_mask(file, properties, plan_of(Tiff3DIO)), LABELS.T)
    with pytest.raises(ValueError, match=r"mask.tif has \(7, 6, 5\) voxels, its image \(7, 6, 6\)"):
        read_case_mask(file, properties | {"shape_before_cropping": (6, 7, 6)}, plan_of(Tiff3DIO))
