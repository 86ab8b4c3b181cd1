"""Volumes of slices: order, geometry, rescaling, and what is refused."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    ExplicitVRLittleEndian,
    JPEGLSLossless,
    MediaStorageDirectoryStorage,
    RLELossless,
    generate_uid,
)

from nnunetv2_adamss.dicom.dicom_series import Series, read_headers, series_of
from nnunetv2_adamss.dicom.slices import read_stack, read_volume
from tests.dicom.writer import Study, compressed, dataset

SPACING, ORIGIN = (1.5, 2.0, 3.0), (-7.0, 11.0, -100.0)


def only_series(folder: Path) -> Series:
    headers, n_damaged = read_headers(sorted(folder.rglob("*.dcm")))
    (series,) = series_of(headers)
    assert n_damaged == 0
    return series


def test_every_slice_is_scaled_by_its_own_slope(tmp_path: Path) -> None:
    """Stored numbers are whole, so the activities are known exactly; the last slices are far weaker."""
    slopes = [2.5, 0.125, 40.0, 0.0009765625, 1.0]
    stored = np.random.default_rng(1).integers(0, 32000, (5, 6, 4))
    activity = stored * np.array(slopes)[:, None, None]
    Study(tmp_path).pet(activity, SPACING, ORIGIN, slopes=slopes)
    image = read_volume(read_stack(only_series(tmp_path)))
    np.testing.assert_allclose(sitk.GetArrayFromImage(image), activity, rtol=1e-6)
    assert image.GetSize() == (4, 6, 5)
    assert image.GetOrigin() == ORIGIN
    assert image.GetSpacing() == SPACING


def test_slices_are_sorted_along_their_normal_also_if_oblique(tmp_path: Path) -> None:
    orientation = (1.0, 0.0, 0.0, 0.0, 0.8, 0.6)
    values = np.arange(4)[:, None, None] * np.ones((4, 5, 6)) * 100 - 1000
    Study(tmp_path).ct(values, SPACING, ORIGIN, orientation=orientation)
    image = read_volume(read_stack(only_series(tmp_path)))
    assert np.array_equal(sitk.GetArrayFromImage(image), values)
    np.testing.assert_allclose(image.GetDirection(), (1, 0, 0, 0, 0.8, -0.6, 0, 0.6, 0.8), atol=1e-9)
    np.testing.assert_allclose(image.TransformIndexToPhysicalPoint((0, 0, 3)), (-7, 11 - 5.4, -100 + 7.2))


def stack_error(tmp_path: Path, kept: Sequence[int] = range(8), **tags: Any) -> str:
    slices = Study(tmp_path).ct(np.zeros((8, 4, 4)), SPACING, ORIGIN, **tags)
    files = {str(content.SOPInstanceUID): content for content in slices}
    for file in list(tmp_path.rglob("*.dcm")):
        if int(file.stem.split("_")[1]) not in kept:
            file.unlink()
    assert len(files) == 8
    with pytest.raises(ValueError) as error:
        read_stack(only_series(tmp_path))
    return str(error.value)


def test_missing_slices_are_refused_with_the_distances(tmp_path: Path) -> None:
    words = stack_error(tmp_path, kept=[0, 1, 2, 4, 5, 6, 7])
    assert words == ("slices are missing: 1 of 6 distances between slices are not 3 mm, but from 6 to 6 mm")


def test_two_slices_in_one_place_are_refused(tmp_path: Path) -> None:
    for _ in range(2):
        study = Study(tmp_path, study_uid="1.2.3", frame_uid="1.2.4")
        study.ct(np.zeros((4, 4, 4)), SPACING, ORIGIN, SeriesInstanceUID="1.2.5", name=f"CT{_}")
    with pytest.raises(ValueError, match="slices lie in one place"):
        read_stack(only_series(tmp_path))


def test_a_tilted_gantry_is_refused(tmp_path: Path) -> None:
    for index in range(5):
        Study(tmp_path, study_uid="1.2.3", frame_uid="1.2.4").ct(
            np.zeros((1, 4, 4)),
            SPACING,
            (ORIGIN[0], ORIGIN[1] + 0.5 * index, ORIGIN[2] + 3 * index),
            SeriesInstanceUID="1.2.5",
            name=f"CT{index}",
        )
    with pytest.raises(ValueError, match="tilted gantry"):
        read_stack(only_series(tmp_path))


def series_at(folder: Path, heights_mm: Sequence[float]) -> Series:
    """A series with a slice at each height."""
    slices = Study(folder).ct(np.zeros((len(heights_mm), 4, 4)), SPACING, ORIGIN)
    for content, height_mm in zip(slices, heights_mm, strict=True):
        content.ImagePositionPatient = [*ORIGIN[:2], height_mm]
        content.save_as(folder / f"{content.InstanceNumber}.dcm", enforce_file_format=True)
    shutil.rmtree(folder / "CT")
    return only_series(folder)


def test_small_differences_between_distances_that_add_up_are_refused(tmp_path: Path) -> None:
    """10 gaps of 3 mm, 10 of 3.25 mm: the grid has gaps of 3.125 mm, so slice 10 is at 30 mm, its place at 31.25 mm.

    With 20 gaps of each, slice 20 is at 60 mm and its place at 62.5 mm, 0.8 of a slice off.
    """
    gaps = [3.0] * 10 + [3.25] * 10
    near = series_at(tmp_path / "near", np.cumsum([0.0, *gaps]).tolist())
    assert read_stack(near).grid.spacing_mm[2] == pytest.approx(3.125)
    gaps = [3.0] * 20 + [3.25] * 20
    far = series_at(tmp_path / "far", np.cumsum([0.0, *gaps]).tolist())
    with pytest.raises(ValueError) as error:
        read_stack(far)
    assert str(error.value) == (
        "slices are unevenly spaced: at distances from 3 to 3.25 mm, one lies 2.5 mm off an even spacing; "
        "resample it first"
    )


def test_positions_that_a_scanner_has_rounded_are_evenly_spaced(tmp_path: Path) -> None:
    """Slices 3.2692 mm apart in two decimals: gaps of 3.26 and 3.27 mm."""
    rounded = series_at(tmp_path, [round(3.2692 * index, 2) for index in range(60)])
    assert read_stack(rounded).grid.spacing_mm[2] == pytest.approx(3.2692, abs=2e-4)


def test_copies_of_a_slice_count_once(tmp_path: Path) -> None:
    Study(tmp_path).ct(np.zeros((4, 4, 4)), SPACING, ORIGIN)
    for file in list(tmp_path.rglob("*.dcm")):
        file.with_name(f"copy_{file.name}").write_bytes(file.read_bytes())
    assert read_stack(only_series(tmp_path)).grid.size == (4, 4, 4)


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless])
def test_compressed_slices_are_read_as_if_they_were_not(tmp_path: Path, syntax: str) -> None:
    values = np.random.default_rng(2).integers(-1000, 2000, (3, 64, 32)).astype(float)
    for content in Study(tmp_path / "plain").ct(values, SPACING, ORIGIN):
        content.compress(syntax, generate_instance_uid=False)
        content.save_as(tmp_path / f"{content.InstanceNumber}.dcm", enforce_file_format=True)
    shutil.rmtree(tmp_path / "plain")
    image = read_volume(read_stack(only_series(tmp_path)))
    assert np.array_equal(sitk.GetArrayFromImage(image), values)


def test_pixels_without_a_decoder_are_refused_with_their_compression(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    Study(tmp_path).ct(np.zeros((4, 4, 4)), SPACING, ORIGIN)
    compressed(next(iter(sorted(tmp_path.rglob("*.dcm")))), "1.2.840.10008.1.2.4.201")
    stack = read_stack(only_series(tmp_path))
    with pytest.raises(ValueError, match=r"compressed \(High-Throughput JPEG 2000.*decompress them first"):
        read_volume(stack)


def n_damaged_in(folder: Path) -> int:
    return read_headers(sorted(file for file in folder.rglob("*") if file.is_file()))[1]


@pytest.mark.parametrize("ending", [".dcm", ".DCM", ""])
@pytest.mark.parametrize("n_bytes", [0, 132, 150, 400, 500])
def test_slices_that_are_cut_off_before_their_pixels_count_as_damaged(
    tmp_path: Path, n_bytes: int, ending: str
) -> None:
    """After 0 bytes nothing is left, after 132 the word DICM; the tag of the series ends beyond 500."""
    Study(tmp_path).ct(np.zeros((4, 4, 4)), SPACING, ORIGIN)
    last = sorted(tmp_path.rglob("*.dcm"))[-1]
    assert last.read_bytes()[:500].find(b"\x20\x00\x0e\x00") == -1
    last.with_suffix(ending).write_bytes(last.read_bytes()[:n_bytes])
    assert n_damaged_in(tmp_path) == 1


def test_slices_that_are_overwritten_in_the_header_count_as_damaged(tmp_path: Path) -> None:
    Study(tmp_path).ct(np.zeros((4, 4, 4)), SPACING, ORIGIN)
    first, second, *_ = sorted(tmp_path.rglob("*.dcm"))
    first.write_bytes(bytes(300) + first.read_bytes()[300:])
    second.write_bytes(second.read_bytes()[:300] + bytes(600) + second.read_bytes()[900:])
    assert n_damaged_in(tmp_path) == 2


def test_other_files_of_an_export_are_not_damaged_slices(tmp_path: Path) -> None:
    """The index of a disk has no series, empty files lie beside it, and notes beside slices."""
    Study(tmp_path).ct(np.zeros((4, 4, 4)), SPACING, ORIGIN)
    (tmp_path / "CT" / "notes.txt").write_text("of the export")
    index = dataset({"FileSetID": "EXPORT", "DirectoryRecordSequence": []})
    index.file_meta = FileMetaDataset()
    index.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    index.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    index.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    for file in (tmp_path / "DICOMDIR", tmp_path / "CT" / "index"):
        index.save_as(file, enforce_file_format=True)
    (tmp_path / "LOCKFILE").touch()
    assert n_damaged_in(tmp_path) == 0


def test_damaged_pixels_are_refused(tmp_path: Path) -> None:
    Study(tmp_path).ct(np.zeros((4, 40, 40)), SPACING, ORIGIN)
    file = sorted(tmp_path.rglob("*.dcm"))[1]
    file.write_bytes(file.read_bytes()[:-2000])
    stack = read_stack(only_series(tmp_path))
    with pytest.raises(ValueError, match="pixels cannot be read"):
        read_volume(stack)
