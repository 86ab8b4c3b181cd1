"""Masks as DICOM SEG and RTSTRUCT: opened again they are the same, and no name of a patient leaves the objects."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import highdicom
import nibabel
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.config import disable_value_validation
from pydicom.uid import UID, EnhancedCTImageStorage, generate_uid

from nnunetv2_adamss.dicom.write_identity import structures_of
from nnunetv2_adamss.dicom.write_masks import dicom_files, write_masks
from tests.dicom.ct_slices import BIRTH_DATE, NAME, PATIENT_ID, STUDY_DATE, CtWriter
from tests.dicom.reopened import masks_of_segmentation, masks_of_structure_set

LABELS = {"background": 0, "GTVp": 1, "GTVn": 2}


def oblique() -> tuple[float, ...]:
    """Two axes at right angles that are those of no other."""
    q, _ = np.linalg.qr(np.array([[0.9, -0.2], [0.3, 0.8], [-0.1, 0.4]]))
    return tuple(q.T.ravel().tolist())


def random_labels(writer: CtWriter) -> np.ndarray:
    """Labels with holes, diagonals and single voxels, also at the border, ``(slices, rows, columns)``."""
    labels = np.random.default_rng(7).integers(0, 3, (len(writer.positions_mm), *writer.shape), np.uint8)
    labels[[0, 5]] = 0
    return labels


def save_mask(labels: np.ndarray, affine: np.ndarray, file: Path) -> Path:
    nibabel.save(nibabel.Nifti1Image(labels.T, affine), file)
    return file


def write(
    labels: np.ndarray, writer: CtWriter, folder: Path, names: Mapping[str, Any] = LABELS
) -> tuple[list[Path], dict[str, Path]]:
    """Write a series and the mask on it; return the slices' files and the objects' ones."""
    slices = writer.write(folder / "ct")
    mask = save_mask(labels, writer.affine, folder / "mask.nii.gz")
    write_masks(mask, sorted(slices), structures_of(names), folder / "dicom", "anna")
    return slices, dicom_files(folder / "dicom", "anna")


@pytest.mark.parametrize("orientation", [(1, 0, 0, 0, 1, 0), (0, 1, 0, 0, 0, -1), oblique()])
def test_masks_come_back_voxel_by_voxel(orientation: tuple[float, ...], tmp_path: Path) -> None:
    writer = CtWriter(orientation=orientation)
    labels = random_labels(writer)
    slices, files = write(labels, writer, tmp_path)
    for masks in (
        masks_of_segmentation(files["SEG"], slices),
        masks_of_structure_set(files["RTSTRUCT"], slices),
    ):
        assert list(masks) == ["GTVp", "GTVn"]
        for name, mask in masks.items():
            np.testing.assert_array_equal(mask, labels == LABELS[name])


def test_highdicom_opens_the_segmentation_and_gives_the_same_labels(tmp_path: Path) -> None:
    writer = CtWriter()
    labels = random_labels(writer)
    slices, files = write(labels, writer, tmp_path)
    opened = highdicom.seg.segread(files["SEG"])
    instances = [dcmread(file).SOPInstanceUID for file in slices[1:]]
    pixels = opened.get_pixels_by_source_instance(
        instances, combine_segments=True, assert_missing_frames_are_empty=True
    )
    np.testing.assert_array_equal(pixels, labels[1:])
    volume = opened.get_volume(combine_segments=True)
    np.testing.assert_allclose(volume.spacing, (3.0, *writer.spacing_mm))


def test_a_mask_on_another_grid_is_brought_to_the_slices_by_its_nearest_voxels(tmp_path: Path) -> None:
    writer = CtWriter()
    coarse = np.diag([2.0, 2.0, 2.0, 1.0])
    coarse[:3, 3] = 0.5  # voxels of the size of 2x2x2 pixels, beginning with the first
    labels = np.zeros((5, 12, 15), np.uint8)
    labels[1:3, 4:9, 3:8] = 1
    slices = writer.write(tmp_path / "ct")
    mask = save_mask(labels, writer.affine @ coarse, tmp_path / "mask.nii.gz")
    write_masks(mask, slices, structures_of({"tumour": 1}), tmp_path, "anna")
    (found,) = masks_of_segmentation(dicom_files(tmp_path, "anna")["SEG"], slices).values()
    np.testing.assert_array_equal(found, np.kron(labels, np.ones((2, 2, 2))))


def test_the_gantry_may_be_tilted(tmp_path: Path) -> None:
    labels = random_labels(CtWriter())
    slices = CtWriter(tilt=2.0 / 3.0).write(tmp_path / "ct")  # each slice begins one row further
    mask = save_mask(labels, CtWriter().affine, tmp_path / "mask.nii.gz")
    write_masks(mask, slices, structures_of(LABELS), tmp_path, "anna")
    shifted = np.zeros_like(labels)
    for number, one in enumerate(labels):
        shifted[number, : len(one) - number] = one[number:]
    files = dicom_files(tmp_path, "anna")
    for masks in (
        masks_of_segmentation(files["SEG"], slices),
        masks_of_structure_set(files["RTSTRUCT"], slices),
    ):
        np.testing.assert_array_equal(masks["GTVn"], shifted == 2)


def test_slices_may_be_missing(tmp_path: Path) -> None:
    writer = CtWriter()
    labels = random_labels(writer)
    slices = writer.write(tmp_path / "ct")
    mask = save_mask(labels, writer.affine, tmp_path / "mask.nii.gz")
    write_masks(mask, slices[:3] + slices[4:], structures_of(LABELS), tmp_path, "anna")
    masks = masks_of_structure_set(dicom_files(tmp_path, "anna")["RTSTRUCT"], slices)
    labels[3] = 0
    np.testing.assert_array_equal(masks["GTVp"], labels == 1)


def test_a_region_of_several_labels_is_a_structure_of_its_own(tmp_path: Path) -> None:
    labels = random_labels(CtWriter())
    names = {"background": 0, "all": [1, 2], "Lymphknoten (größere)": [2], "ignore": 3}
    slices, files = write(labels, CtWriter(), tmp_path, names)
    for masks in (
        masks_of_segmentation(files["SEG"], slices),
        masks_of_structure_set(files["RTSTRUCT"], slices),
    ):
        np.testing.assert_array_equal(masks["all"], labels > 0)
        np.testing.assert_array_equal(masks["Lymphknoten (größere)"], labels == 2)


def test_a_mask_without_tumour_is_written_as_empty_structures(tmp_path: Path) -> None:
    writer = CtWriter()
    slices, files = write(np.zeros((len(writer.positions_mm), *writer.shape), np.uint8), writer, tmp_path)
    for masks in (
        masks_of_segmentation(files["SEG"], slices),
        masks_of_structure_set(files["RTSTRUCT"], slices),
    ):
        assert list(masks) == ["GTVp", "GTVn"]
        assert not any(mask.any() for mask in masks.values())


@pytest.mark.parametrize("kind", ["SEG", "RTSTRUCT"])
def test_an_object_is_of_the_patient_the_study_and_the_space_of_the_ct(kind: str, tmp_path: Path) -> None:
    slices, files = write(random_labels(CtWriter()), CtWriter(), tmp_path)
    made, ct = dcmread(files[kind]), dcmread(slices[0])
    for keyword in (
        "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate", "StudyTime",
        "StudyID", "AccessionNumber", "ReferringPhysicianName", "FrameOfReferenceUID",
    ):  # fmt: skip
        assert made[keyword].value == ct[keyword].value, keyword
    assert made.PatientName == NAME  # with its umlauts
    assert made.SeriesInstanceUID != ct.SeriesInstanceUID
    assert (made.Manufacturer, made.ManufacturerModelName) == ("nnunetv2-adamss", "AdaMSS")
    for keyword in ("SOPInstanceUID", "SeriesInstanceUID"):
        assert UID(made[keyword].value).is_valid


def test_all_slices_of_the_series_are_named(tmp_path: Path) -> None:
    slices, files = write(random_labels(CtWriter()), CtWriter(), tmp_path)
    instances = {dcmread(file).SOPInstanceUID for file in slices}
    made = dcmread(files["RTSTRUCT"]).ReferencedFrameOfReferenceSequence[0]
    series = made.RTReferencedStudySequence[0].RTReferencedSeriesSequence[0]
    assert {image.ReferencedSOPInstanceUID for image in series.ContourImageSequence} == instances
    assert series.SeriesInstanceUID == dcmread(slices[0]).SeriesInstanceUID


def test_segments_are_coded_as_neoplasms_found_by_this_program(tmp_path: Path) -> None:
    _, files = write(random_labels(CtWriter()), CtWriter(), tmp_path)
    for segment in dcmread(files["SEG"]).SegmentSequence:
        assert segment.SegmentedPropertyTypeCodeSequence[0].CodeValue == "108369006"
        assert (segment.SegmentAlgorithmType, segment.SegmentAlgorithmName) == ("AUTOMATIC", "AdaMSS")


def test_the_same_mask_keeps_its_files_and_another_one_gets_other_identifiers(tmp_path: Path) -> None:
    writer = CtWriter()
    labels = random_labels(writer)
    slices, files = write(labels, writer, tmp_path)
    before = {kind: file.read_bytes() for kind, file in files.items()}
    arguments = (tmp_path / "mask.nii.gz", slices, structures_of(LABELS), tmp_path / "dicom", "anna")
    write_masks(*arguments)
    assert {kind: file.read_bytes() for kind, file in files.items()} == before
    files["SEG"].write_bytes(b"damaged")
    write_masks(*arguments)
    assert dcmread(files["SEG"]).SOPInstanceUID.encode() in before["SEG"]
    labels[3, 4, 5] = 2 - labels[3, 4, 5]
    save_mask(labels, writer.affine, tmp_path / "mask.nii.gz")
    write_masks(*arguments)
    for kind, file in files.items():
        assert dcmread(file).SOPInstanceUID.encode() not in before[kind]


@pytest.mark.parametrize(
    ("tags", "sentence"),
    [
        ({"SeriesInstanceUID": generate_uid()}, "not one series: 2 different SeriesInstanceUID"),
        ({"FrameOfReferenceUID": generate_uid()}, "not one series: 2 different FrameOfReferenceUID"),
        ({"PixelSpacing": [1.0, 1.0]}, "differ in size, pixel spacing or orientation"),
        ({"ImageOrientationPatient": [0, 1, 0, 0, 0, -1]}, "differ in size, pixel spacing or orientation"),
        (
            {"ImagePositionPatient": None},
            r"a slice of its CT series has no ImagePositionPatient \(0020,0032\)",
        ),
        ({"ImageOrientationPatient": [1, 0, 0]}, "does not say where it lies"),
        (
            {"PixelSpacing": [0, 0]},
            "a slice of its CT series has an impossible geometry: 30x24x1 voxels of 0x0x1 mm",
        ),
        ({"SOPClassUID": EnhancedCTImageStorage, "PixelSpacing": None}, "not one of single slices"),
        ({}, "two slices of its CT series lie in the same place"),
    ],
)
def test_slices_that_are_no_series_are_refused(tags: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    slices = CtWriter().write(tmp_path / "ct")
    other = dcmread(slices[0])
    other.SOPInstanceUID = generate_uid()
    for keyword, value in tags.items():
        setattr(other, keyword, value)
    other.save_as(tmp_path / "ct" / "other")
    mask = save_mask(random_labels(CtWriter()), CtWriter().affine, tmp_path / "mask.nii.gz")
    with pytest.raises(ValueError, match=sentence):
        write_masks(mask, [*slices, tmp_path / "ct" / "other"], structures_of(LABELS), tmp_path, "anna")


def test_other_files_and_modalities_beside_the_slices_are_left_out(tmp_path: Path) -> None:
    slices = CtWriter().write(tmp_path / "ct")
    pet = CtWriter(tags={"Modality": "PT"}).write(tmp_path / "pet")
    (tmp_path / "notes.txt").write_text("not DICOM")
    mask = save_mask(random_labels(CtWriter()), CtWriter().affine, tmp_path / "mask.nii.gz")
    write_masks(mask, [*pet, tmp_path / "notes.txt", *slices], structures_of(LABELS), tmp_path, "anna")
    assert (
        dcmread(dicom_files(tmp_path, "anna")["SEG"]).StudyInstanceUID == dcmread(slices[0]).StudyInstanceUID
    )
    with pytest.raises(ValueError, match=r"a CT series has several slices, but 0 CT slice\(s\) were found"):
        write_masks(mask, pet, structures_of(LABELS), tmp_path, "anna")


@pytest.mark.parametrize(
    ("offset", "labels", "sentence"),
    [
        (500.0, 1, "its mask does not overlap its CT series"),
        (500.0, 0, "its mask does not overlap its CT series"),
        (34.0, 1, "no pixel of its CT series lies in the tumour of its mask"),
        (0.0, 3, "its mask has values that are no labels of dataset.json: 3"),
    ],
)
def test_masks_that_do_not_belong_to_the_ct_are_refused(
    offset: float, labels: int, sentence: str, tmp_path: Path
) -> None:
    writer = CtWriter()
    slices = writer.write(tmp_path / "ct")
    voxels = np.zeros((len(writer.positions_mm), *writer.shape), np.uint8)
    voxels[4, 10, -5:] = labels
    affine = writer.affine.copy()
    affine[0, 3] -= offset
    mask = save_mask(voxels, affine, tmp_path / "mask.nii.gz")
    with pytest.raises(ValueError, match=sentence):
        write_masks(mask, slices, structures_of(LABELS), tmp_path / "dicom", "anna")
    assert not (tmp_path / "dicom").exists()


def test_a_ct_that_ends_before_the_tumour_is_refused(tmp_path: Path) -> None:
    writer = CtWriter()
    slices = writer.write(tmp_path / "ct")
    mask = save_mask(random_labels(writer), writer.affine, tmp_path / "mask.nii.gz")
    with pytest.raises(
        ValueError, match="from -98.5 to -71.5 mm, reaches beyond the slices .* from -100 to -88 mm"
    ):
        write_masks(mask, slices[:5], structures_of(LABELS), tmp_path, "anna")


def test_a_name_that_dicom_cannot_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="names of 64 characters, but the label 'xxxx"):
        structures_of({"background": 0, "x" * 65: 1})


@pytest.mark.parametrize(
    "tags",
    [
        {"PatientName": "NO CARET IN IT", "PatientSex": "UNKNOWN", "PatientBirthDate": "born in May"},
        {"PatientName": None, "StudyDate": None, "AccessionNumber": "A" * 40},
    ],
)
def test_faulty_tags_of_a_patient_are_copied_and_never_quoted(
    tags: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nor are they in a warning, which would be an error here."""
    with disable_value_validation():
        slices = CtWriter(tags=tags).write(tmp_path / "ct")
    mask = save_mask(random_labels(CtWriter()), CtWriter().affine, tmp_path / "mask.nii.gz")
    with caplog.at_level("DEBUG"):
        write_masks(mask, slices, structures_of(LABELS), tmp_path, "anna")
    said = caplog.text + "".join(capfd.readouterr())
    for secret in (NAME, PATIENT_ID, BIRTH_DATE, STUDY_DATE, *tags.values()):
        assert not secret or str(secret) not in said
    with disable_value_validation():
        for file in dicom_files(tmp_path, "anna").values():
            opened = dcmread(file)
            assert {keyword: opened[keyword].value or None for keyword in tags} == tags


def test_an_error_of_a_dicom_library_does_not_quote_the_tags(tmp_path: Path) -> None:
    slices = CtWriter().write(tmp_path / "ct")
    slices[0].write_bytes(slices[0].read_bytes().replace(b"2.0\\1.5 ", b"of Annes"))
    mask = save_mask(random_labels(CtWriter()), CtWriter().affine, tmp_path / "mask.nii.gz")
    with pytest.raises(ValueError, match="a slice of its CT series does not say where it lies") as raised:
        write_masks(mask, slices, structures_of(LABELS), tmp_path, "anna")
    assert raised.value.__suppress_context__  # not even a traceback shows the words of the library
