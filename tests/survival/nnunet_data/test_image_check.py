"""What verification finds in raw images: all that a later step would stop at or silently get wrong."""

import gzip
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from nibabel.orientations import axcodes2ornt, ornt_transform

from nnunetv2_adamss.survival.nnunet_data.image_check import check_raw_images

SHAPE = (8, 9, 10)
AFFINE = np.diag([-2.0, -3, 4, 1])
DESCRIPTION: dict[str, Any] = {
    "channel_names": {"0": "CT", "1": "PET"},
    "labels": {"background": 0, "tumour": 1},
    "numTraining": 2,
    "file_ending": ".nii.gz",
}


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """A raw data set of two cases, ``good`` and ``odd``, both of them sound."""
    rng = np.random.default_rng(0)
    for case_id in ("good", "odd"):
        for name in (f"imagesTr/{case_id}_0000", f"imagesTr/{case_id}_0001", f"labelsTr/{case_id}"):
            file = tmp_path / f"{name}.nii.gz"
            file.parent.mkdir(exist_ok=True)
            values = rng.normal(5, 1, SHAPE).astype(np.float32)
            voxels = values if "images" in name else (values > 6).astype(np.uint8)
            nibabel.save(nibabel.Nifti1Image(voxels, AFFINE), file)
    (tmp_path / "dataset.json").write_text(json.dumps(DESCRIPTION))
    return tmp_path


def stored_along(orientation: str) -> Callable[[Path], None]:
    """Store the same place along other axes."""

    def change(file: Path) -> None:
        image = nibabel.load(file)
        turn = ornt_transform(nibabel.io_orientation(image.affine), axcodes2ornt(orientation))
        write(file, image.as_reoriented(turn))

    return change


def with_affine(matrix: np.ndarray) -> Callable[[Path], None]:
    return lambda file: write(file, nibabel.Nifti1Image(voxels_of(file), matrix @ nibabel.load(file).affine))


def with_voxels(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Path], None]:
    return lambda file: write(file, nibabel.Nifti1Image(change(voxels_of(file)), nibabel.load(file).affine))


def voxels_of(file: Path) -> np.ndarray:
    return np.asanyarray(nibabel.load(file).dataobj).copy()


def write(file: Path, image: nibabel.Nifti1Image) -> None:
    # Not over a file whose voxels nibabel may still have to read.
    content = image.to_bytes()
    file.write_bytes(gzip.compress(content))


def cut_off(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-30])


def voxels_of_no_width(file: Path) -> None:
    content = bytearray(gzip.decompress(file.read_bytes()))
    content[80:84] = struct.pack("<f", 0.0)
    file.write_bytes(gzip.compress(bytes(content)))


def a_hole(voxels: np.ndarray) -> np.ndarray:
    voxels[0, 0, 0] = np.nan
    return voxels


MIRROR = np.diag([-1.0, 1, 1, 1])
TILT = np.eye(4) + np.outer([1, 0, 0, 0], [0, 0, 0.2, 0])


@pytest.mark.parametrize(
    ("file", "change", "sentence"),
    [
        (
            "imagesTr/odd_0001",
            stored_along("RAS"),
            "lie in the same place, but their files store it along different",
        ),
        (
            "labelsTr/odd",
            stored_along("RPS"),
            "lie in the same place, but their files store it along different",
        ),
        ("imagesTr/odd_0001", with_affine(MIRROR), "PET lies on another grid than CT"),
        ("labelsTr/odd", with_affine(MIRROR), "the mask lies on another grid than CT"),
        ("imagesTr/odd_0000", cut_off, "odd_0000.nii.gz is cut off or damaged"),
        ("labelsTr/odd", cut_off, "odd.nii.gz cannot be read as an image"),
        ("imagesTr/odd_0001", with_voxels(lambda v: 0 * v), "PET is 0 in every voxel"),
        ("imagesTr/odd_0000", with_voxels(lambda v: 0 * v - 1024), "CT is -1024 in every voxel"),
        (
            "imagesTr/odd_0001",
            with_voxels(lambda v: v * np.nan),
            "PET has 720 voxels that are not finite numbers",
        ),
        ("imagesTr/odd_0001", with_voxels(a_hole), "PET has 1 voxels that are not finite numbers"),
        ("imagesTr/odd_0001", voxels_of_no_width, "odd_0001.nii.gz has voxels of 0x3x4 mm"),
        (
            "imagesTr/odd_0001",
            lambda file: file.unlink(),
            "there are 1 images, but dataset.json names 2 channels",
        ),
    ],
)
def test_a_case_that_a_later_step_would_refuse_or_misread_is_named(
    raw: Path, file: str, change: Callable[[Path], None], sentence: str
) -> None:
    change(raw / f"{file}.nii.gz")
    found = check_raw_images(raw, 1)
    assert list(found) == ["odd"] and sentence in found["odd"]


def test_sound_cases_pass_and_progress_is_reported(raw: Path) -> None:
    seen: list[tuple[int, int]] = []
    assert check_raw_images(raw, 1, lambda *counts: seen.append(counts)) == {}
    assert seen == [(1, 2), (2, 2)]


def test_a_tilted_scan_is_named_since_radiomics_cannot_be_extracted(raw: Path) -> None:
    for file in ("imagesTr/odd_0000", "imagesTr/odd_0001", "labelsTr/odd"):
        with_affine(TILT)(raw / f"{file}.nii.gz")
    (sentence,) = check_raw_images(raw, 1).values()
    assert "its axes are not at right angles" in sentence and "radiomics cannot be extracted" in sentence


def test_a_header_that_nibabel_reads_otherwise_is_named_where_nnunet_reads_by_nibabel(raw: Path) -> None:
    for name in ("imagesTr/odd_0000", "imagesTr/odd_0001", "labelsTr/odd"):
        content = bytearray(gzip.decompress((raw / f"{name}.nii.gz").read_bytes()))
        content[252:256] = struct.pack("<hh", 0, 0)  # qform_code and sform_code
        (raw / f"{name}.nii.gz").write_bytes(gzip.compress(bytes(content)))
    assert check_raw_images(raw, 1) == {}
    (raw / "dataset.json").write_text(
        json.dumps(DESCRIPTION | {"overwrite_image_reader_writer": "NibabelIO"})
    )
    found = check_raw_images(raw, 1)
    assert list(found) == ["odd"]
    assert "odd_0000.nii.gz does not say clearly where it lies" in found["odd"]


def test_a_reader_that_has_no_name_is_a_fault_of_the_description(raw: Path) -> None:
    (raw / "dataset.json").write_text(json.dumps(DESCRIPTION | {"overwrite_image_reader_writer": 5}))
    with pytest.raises(ValueError, match=r"dataset.json is damaged .* overwrite_image_reader_writer"):
        check_raw_images(raw, 1)


def test_a_rounded_origin_and_a_reader_that_turns_images_are_no_fault(raw: Path) -> None:
    rounded = np.eye(4)
    rounded[0, 3] = 0.004 * 2
    with_affine(rounded)(raw / "imagesTr" / "odd_0001.nii.gz")
    stored_along("RAS")(raw / "imagesTr" / "good_0001.nii.gz")
    assert list(check_raw_images(raw, 1)) == ["good"]
    turning = DESCRIPTION | {"overwrite_image_reader_writer": "NibabelIOWithReorient"}
    (raw / "dataset.json").write_text(json.dumps(turning))
    assert check_raw_images(raw, 1) == {}
