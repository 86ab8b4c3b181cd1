"""Folders of DICOM to a raw data set: names, values, masks, outcomes, and patients who cannot be converted."""

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pydicom
import pytest

from tests.datasets.conversion.dicom_cohort import (
    BODY_SUV,
    CT_ORIGIN,
    CT_SHAPE,
    CT_SPACING,
    PET_ORIGIN,
    PET_SHAPE,
    PET_SPACING,
    TUMOUR_SLICES,
    TUMOUR_SUV,
    DicomCohort,
    tumour_contours,
    write_patient,
)
from tests.dicom.writer import box, compressed, dataset


@pytest.fixture
def dicom(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> DicomCohort:
    """No patient yet."""
    (tmp_path / "source").mkdir()
    return DicomCohort(tmp_path / "source", tmp_path / "raw", capsys)


def log_of(dicom: DicomCohort, case_id: str) -> dict:
    return dict(json.loads((dicom.folder / "conversion_log.json").read_text())["cases"][case_id])


def test_ct_is_in_hu_pet_in_suv_and_the_mask_has_the_contours_voxels(dicom: DicomCohort) -> None:
    write_patient(dicom.source / "anna")
    assert dicom.convert() == 0
    ct, pet, mask = (
        dicom.image(name)
        for name in ("imagesTr/anna_0000.nii.gz", "imagesTr/anna_0001.nii.gz", "labelsTr/anna.nii.gz")
    )
    assert ct.shape == pet.shape == mask.shape == CT_SHAPE
    assert (ct[:, 0] == -1000).all()
    assert (ct[:, 1:] == 20).all()
    expected = np.zeros(CT_SHAPE, bool)
    expected[list(TUMOUR_SLICES), 8:16, 8:16] = True
    assert np.array_equal(mask == 1, expected)
    assert pet[4, 11, 11] == pytest.approx(TUMOUR_SUV, rel=1e-3)  # 16 bits hold a ten-thousandth
    assert pet[0, 11, 11] == pytest.approx(BODY_SUV, rel=1e-3)
    log = log_of(dicom, "anna")
    assert log["files"]["mask"] == "RTSTRUCT: GTVp"
    assert log["suv"]["rule"] == "BQML, decay correction START"


def test_pet_keeps_its_values_on_its_own_grid(dicom: DicomCohort) -> None:
    write_patient(dicom.source / "anna", structures=())
    assert dicom.convert("--grid", "pet", "--suv", "bsa") == 0
    pet = dicom.image("imagesTs/anna_0001.nii.gz")
    assert pet.shape == PET_SHAPE
    surface = 71.84 * 70**0.425 * 175**0.725 / 70_000
    assert pet.max() == pytest.approx(TUMOUR_SUV * surface, rel=1e-4)
    settings = json.loads((dicom.folder / "conversion_log.json").read_text())["settings"]
    assert settings["suv"] == "bsa"
    assert dicom.convert("--grid", "pet") == 2
    assert "converted with other settings" in dicom.error()


def test_structures_become_labels_by_expressions_and_others_are_listed(dicom: DicomCohort) -> None:
    written = write_patient(dicom.source / "anna", structures=())
    node = [[(x + 20, y, z) for x, y, z in contour] for contour in tumour_contours()]
    written.study.structures(
        {"GTV T": tumour_contours(), "gtvn_left": node, "Brainstem": tumour_contours()}, written.ct
    )
    options = ("--structure", "GTVp=^GTV[ _]?[pt]", "--structure", "GTVn=^GTV[ _]?n")
    assert dicom.convert(*options) == 0
    mask = dicom.image("labelsTr/anna.nii.gz")
    assert [int((mask == value).sum()) for value in (1, 2)] == [2 * 64, 2 * 6 * 8]
    assert "structures that no label takes, with numbers of patients: Brainstem (1)" in dicom.error()
    labels = json.loads((dicom.folder / "dataset.json").read_text())["labels"]
    assert labels == {"background": 0, "GTVp": 1, "GTVn": 2}


def test_a_segmentation_gives_the_same_mask_as_the_contours(dicom: DicomCohort) -> None:
    write_patient(dicom.source / "anna")
    written = write_patient(dicom.source / "bert", "P2", structures=())
    mask = np.zeros(CT_SHAPE, np.uint8)
    mask[list(TUMOUR_SLICES), 8:16, 8:16] = 2
    mask[0, 3:5, 3:5] = 1
    written.study.segmentation(mask, ["Liver", "GTV"], written.ct)
    assert dicom.convert() == 0
    first, second = (dicom.image(f"labelsTr/{name}.nii.gz") for name in ("anna", "bert"))
    assert np.array_equal(first, second)
    assert log_of(dicom, "bert")["files"]["mask"] == "SEG: GTV"


def test_structures_in_another_frame_of_reference_are_left_out_and_named(dicom: DicomCohort) -> None:
    written = write_patient(dicom.source / "anna", structures=())
    moved = [[(x + 20, y, z) for x, y, z in contour] for contour in tumour_contours()]
    file = written.study.structures({"GTV_CT": tumour_contours(), "GTV_MR": moved}, written.ct)
    content = pydicom.dcmread(file)
    content.StructureSetROISequence[1].ReferencedFrameOfReferenceUID = "1.2.3"
    content.save_as(file)
    assert dicom.convert() == 0
    mask = dicom.image("labelsTr/anna.nii.gz")
    assert (mask.sum(), mask[4, 8:16, 8:16].sum()) == (2 * 64, 64)
    assert log_of(dicom, "anna")["files"]["mask"] == "RTSTRUCT: GTV_CT"
    said = "anna: structures in another frame of reference are not in the mask: GTV_MR"
    assert said in dicom.error()


@pytest.mark.parametrize(("n_scans", "voxels_in_a_row"), [(1, 8), (2, 6)])
def test_contours_are_filled_on_the_ct_unless_they_refer_to_the_pet_alone(
    dicom: DicomCohort, n_scans: int, voxels_in_a_row: int
) -> None:
    """A square of 13 mm holds 6 of the CT's centres in a row, and 4 of the PET's, which are 8 voxels of the CT."""
    written = write_patient(dicom.source / "anna", structures=())
    contours = [box((-6.5, 6.5), (-6.5, 6.5), CT_ORIGIN[2] + 4 * CT_SPACING[2])]
    file = written.study.structures({"GTV": contours}, written.pet)
    if n_scans == 2:
        content = pydicom.dcmread(file)
        (study,) = content.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence
        study.RTReferencedSeriesSequence.append(
            dataset({"SeriesInstanceUID": written.ct[0].SeriesInstanceUID})
        )
        content.save_as(file)
    assert dicom.convert() == 0
    assert dicom.image("labelsTr/anna.nii.gz").sum() == voxels_in_a_row**2


@pytest.mark.parametrize("kind", ["PROBABILITY", "OCCUPANCY"])
def test_a_fractional_segment_holds_the_voxels_of_one_half_or_more(dicom: DicomCohort, kind: str) -> None:
    written = write_patient(dicom.source / "anna", structures=())
    fractions = np.zeros(CT_SHAPE, np.float32)
    fractions[4, 8, 8:13] = (0.02, 0.48, 0.52, 0.9, 1.0)
    written.study.segmentation(fractions, ["GTV"], written.ct, fractional=kind)
    assert dicom.convert() == 0
    mask = dicom.image("labelsTr/anna.nii.gz")
    assert mask[4, 8, 8:13].tolist() == [0, 0, 1, 1, 1]
    assert mask.sum() == 3


def test_outcomes_are_joined_by_name_whatever_its_punctuation(dicom: DicomCohort, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        write_patient(dicom.source / f"STS_00{number}", f"P{number}")
    table = tmp_path / "outcomes.csv"
    table.write_text("case_id,time,event,stage\nSTS-001,120,1,II\nsts002,300,0,III\nSTS_009,5,1,I\n")
    assert dicom.convert("--tables", str(table)) == 0
    survival = pd.read_csv(dicom.folder / "survival.csv", dtype=str, keep_default_na=False).set_index(
        "case_id"
    )
    assert survival.loc["STS_001"].to_list() == ["120", "1", "II"]
    assert survival.loc["STS_002"].to_list() == ["300", "0", "III"]
    assert survival.loc["STS_003"].to_list() == ["", "", ""]
    said = dicom.error()
    assert "1 patient in the table without scans: STS_009" in said
    assert "1 patient without a row in the table: STS_003" in said


def test_patients_are_folders_or_else_the_tag(dicom: DicomCohort) -> None:
    """As downloads of collections are laid out, and as exports that put everything into one folder."""
    for number in (1, 2):
        write_patient(dicom.source / "manifest" / "Collection" / f"case{number}" / "study", f"ID/{number}")
    assert dicom.convert() == 0
    assert set(cases(dicom)) == {"case1", "case2"}
    flat = dicom.source.with_name("flat")
    flat.mkdir()
    for index, file in enumerate(sorted(dicom.source.rglob("*.dcm"))):
        shutil.copy(file, flat / f"IM{index:05d}")
    dicom.forget()
    assert dicom.convert(source=flat) == 0
    assert set(cases(dicom)) == {"ID_1", "ID_2"}


def cases(dicom: DicomCohort) -> list[str]:
    return list(json.loads((dicom.folder / "conversion_log.json").read_text())["cases"])


def test_one_patient_in_two_folders_is_said(dicom: DicomCohort) -> None:
    for folder, patient_id in (("first", "P1"), ("second", "P1"), ("other", "P2")):
        write_patient(dicom.source / folder, patient_id)
    assert dicom.convert() == 0
    assert "one PatientID is in several folders: first, second" in dicom.error()


def test_a_changed_file_is_converted_again_and_no_other(dicom: DicomCohort) -> None:
    for number in (1, 2):
        write_patient(dicom.source / f"case{number}", f"P{number}")
    assert dicom.convert() == 0
    assert dicom.convert() == 0
    assert "2 patients there already" in dicom.capsys.readouterr().out
    shutil.rmtree(dicom.source / "case2")
    write_patient(dicom.source / "case2", "P2", pet={"PatientWeight": "140"})
    assert dicom.convert() == 0
    assert "1 patient converted" in dicom.capsys.readouterr().out
    assert dicom.image("imagesTr/case2_0001.nii.gz").max() == pytest.approx(2 * TUMOUR_SUV, rel=1e-3)


def test_two_processes_convert_the_same(dicom: DicomCohort, tmp_path: Path) -> None:
    for number in (1, 2):
        write_patient(dicom.source / f"case{number}", f"P{number}")
    assert dicom.convert() == 0
    other = DicomCohort(dicom.source, tmp_path / "other", dicom.capsys)
    assert other.convert("-np", "2") == 0
    for name in ("imagesTr/case1_0001.nii.gz", "labelsTr/case2.nii.gz"):
        assert (dicom.folder / name).read_bytes() == (other.folder / name).read_bytes()


def test_the_reason_is_logged_for_every_series_that_is_left_out(dicom: DicomCohort) -> None:
    written = write_patient(dicom.source / "anna")
    small = np.zeros((3, 4, 4))
    study = written.study
    overview = {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"], "SeriesNumber": 1, "name": "scout"}
    study.ct(small, CT_SPACING, CT_ORIGIN, **overview)
    reformat = {"ImageType": ["DERIVED", "SECONDARY", "CSA MPR"], "SeriesNumber": 5, "name": "mpr"}
    study.ct(small, CT_SPACING, CT_ORIGIN, **reformat)
    study.pet(small + 1, PET_SPACING, PET_ORIGIN, CorrectedImage=["DECY"], SeriesNumber=6, name="nac")
    study.slices("MR", "MR", small, CT_SPACING, CT_ORIGIN, SeriesNumber=7)
    assert dicom.convert() == 0
    assert sorted(log_of(dicom, "anna")["left_out"]) == [
        "CT series 1 (3 files): an overview",
        "CT series 5 (3 files): a reformat of other slices",
        "MR series 7 (3 files): neither CT nor PET",
        "PT series 6 (3 files): not corrected for attenuation",
    ]


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("measured,, 0.096000 cm-1,", ""),
        (None, "WARNING: no tag says that the PET of anna is corrected for attenuation"),
        ("NONE", "there is no PET: PT series 3 (10 files): not corrected for attenuation"),
    ],
)
def test_without_a_list_of_corrections_the_method_says_if_attenuation_is_corrected(
    dicom: DicomCohort, tmp_path: Path, method: str | None, words: str
) -> None:
    pet = {"CorrectedImage": None, "AttenuationCorrectionMethod": method}
    write_patient(dicom.source / "anna", structures=(), pet=pet)
    write_patient(dicom.source / "bert", "P2", structures=())
    manifest = tmp_path / "cohort.csv"
    rows = (f"{name},source/{name}/CT,source/{name}/PET,\n" for name in ("anna", "bert"))
    manifest.write_text("case_id,ct,pet,mask\n" + "".join(rows))
    for file_format, source in (("dicom", dicom.source), ("manifest", manifest)):
        dicom.forget()
        assert dicom.convert(file_format=file_format, source=source) == (method == "NONE")
        said = dicom.error()
        assert words in said
        assert ("attenuation" in said) == bool(words)


def test_a_pet_that_is_said_to_be_corrected_for_attenuation_comes_first(dicom: DicomCohort) -> None:
    written = write_patient(dicom.source / "anna", pet={"CorrectedImage": None})
    written.study.pet(np.ones(PET_SHAPE), PET_SPACING, PET_ORIGIN, SeriesNumber=4, name="corrected")
    assert dicom.convert() == 0
    log = log_of(dicom, "anna")
    assert log["files"]["pet"] == "PT series 4 (10 files)"
    assert log["left_out"] == ["PT series 3 (10 files): another one was chosen"]
    assert "attenuation" not in dicom.error()


def second_pet(folder: Path) -> None:
    written = write_patient(folder)
    written.study.pet(np.ones(PET_SHAPE), PET_SPACING, PET_ORIGIN, SeriesNumber=4, name="PET2")


def two_patients(folder: Path) -> None:
    write_patient(folder)
    write_patient(folder / "stray", "P9")


def second_study(folder: Path) -> None:
    write_patient(folder, structures=())
    write_patient(folder / "later", structures=())


def missing_slice(folder: Path) -> None:
    write_patient(folder)
    next(file for file in (folder / "CT").iterdir() if file.stem.endswith("_4")).unlink()


def outside(folder: Path) -> None:
    written = write_patient(folder, structures=())
    far = [[(x + 900, y, z) for x, y, z in contour] for contour in tumour_contours()]
    written.study.structures({"GTV": far}, written.ct)


def other_frame(folder: Path) -> None:
    written = write_patient(folder, structures=())
    written.study.structures({"GTV": tumour_contours()}, written.ct, frame_uid="1.2.3")


def scans_in_two_frames(folder: Path) -> None:
    write_patient(folder, pet={"FrameOfReferenceUID": "1.2.3"})


def no_decoder(folder: Path) -> None:
    write_patient(folder)
    compressed(sorted((folder / "PET").iterdir())[0], "1.2.840.10008.1.2.4.201")


def two_structure_sets(folder: Path) -> None:
    written = write_patient(folder)
    written.study.structures({"GTV2": tumour_contours()}, written.ct, name="RS2.dcm")


def unnumbered_structure(folder: Path) -> None:
    write_patient(folder)
    content = pydicom.dcmread(folder / "RS.dcm")
    del content.StructureSetROISequence[0].ROINumber
    content.save_as(folder / "RS.dcm")


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "two PET series": (
        second_pet,
        "more than one CT or PET could be used: CT series 2 (10 files), PT series 3 (10 files), PT series 4 (10 files)",
    ),
    "mixed patients": (two_patients, "the folder holds files of 2 patients"),
    "mixed studies": (second_study, "more than one CT or PET could be used"),
    "missing slice": (missing_slice, "CT: slices are missing: 1 of 8 distances"),
    "contours outside": (outside, "RTSTRUCT: all its contours lie outside of the scan"),
    "unnumbered structure": (unnumbered_structure, "RTSTRUCT: a structure has no ROINumber"),
    "structures elsewhere": (other_frame, "RTSTRUCT with GTV: in another frame of reference"),
    "scans elsewhere": (scans_in_two_frames, "CT and PET have different frames of reference"),
    "no decoder": (no_decoder, "PET: its pixels cannot be read; they are compressed"),
    "private unit": (
        lambda folder: write_patient(folder, pet={"Units": "PROPCPS"}),
        "its PET cannot be in SUV: its unit, Units (0054,1001), is PROPCPS",
    ),
    "no weight": (
        lambda folder: write_patient(folder, pet={"PatientWeight": None}),
        "PatientWeight (0010,1030) is missing; if you know it, convert with --pet_table",
    ),
    "no match": (
        lambda folder: write_patient(folder, structures=("Tumor", "Heart")),
        "no structure matches, its structures are Tumor, Heart",
    ),
    "two structure sets": (two_structure_sets, "more than one structure set could be used"),
    "all in one file": (
        lambda folder: write_patient(folder, ct={"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2.1"}),
        "there is no CT: CT series 2 (10 files): all slices are in one file (enhanced DICOM)",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_patient_is_named_with_the_reason_and_the_others_are_converted(
    dicom: DicomCohort, fault: str
) -> None:
    write, words = FAULTS[fault]
    for name in ("good", "other"):
        write_patient(dicom.source / name, name)
    write(dicom.source / "faulty")
    assert dicom.convert() == 1
    said = dicom.error()
    assert f"faulty: {words}" in said or words in said.split("  faulty: ")[1]
    assert cases(dicom) == ["good", "other"]


def test_a_dose_that_the_tags_lack_can_come_from_a_table(dicom: DicomCohort, tmp_path: Path) -> None:
    write_patient(dicom.source / "anna", pet={"PatientWeight": None})
    table = tmp_path / "doses.csv"
    table.write_text(
        "case_id,weight_kg,injected_dose_mbq,minutes_to_scan,half_life_min\nanna,70,350,60,109.77\n"
    )
    assert dicom.convert("--pet_table", str(table)) == 0
    assert dicom.image("imagesTr/anna_0001.nii.gz").max() == pytest.approx(TUMOUR_SUV, rel=1e-3)


def test_a_manifest_may_name_folders_of_slices_and_a_structure_set(
    dicom: DicomCohort, tmp_path: Path
) -> None:
    second_pet(dicom.source / "anna")
    write_patient(dicom.source / "bert")
    manifest = tmp_path / "cohort.csv"
    manifest.write_text(
        "case_id,ct,pet,mask,time,event\n"
        "A,source/anna/CT,source/anna/PET2,source/anna/RS.dcm,10,1\n"
        "B,source/bert/CT,source/bert/PET,,20,0\n"
        "C,source/bert/CT,nothing.nii.gz,,30,0\n"
    )
    assert dicom.convert(file_format="manifest", source=manifest) == 1
    assert "C: one of ct and pet is a folder of DICOM slices and one is a file" in dicom.error()
    assert dicom.image("labelsTr/A.nii.gz").sum() == 2 * 64
    assert log_of(dicom, "A")["files"]["pet"] == "PT series 4 (10 files)"
    assert (dicom.folder / "imagesTs" / "B_0001.nii.gz").is_file()


def test_damaged_slices_are_counted_also_for_a_manifest(dicom: DicomCohort, tmp_path: Path) -> None:
    """The outermost slice of each scan, so the distances between the others are even."""
    for name in ("anna", "bert"):
        write_patient(dicom.source / name, name)
    ct, pet = (dicom.source / "anna" / kind for kind in ("CT", "PET"))
    next(ct.glob("*_9.dcm")).write_bytes(b"")
    file = next(pet.glob("*_9.dcm"))
    file.write_bytes(file.read_bytes()[:200])
    assert dicom.convert() == 0
    words = "are empty or have damaged headers and are left out"
    assert f"WARNING: 2 DICOM file(s) {words}" in dicom.error()
    manifest = tmp_path / "cohort.csv"
    rows = (f"{name},source/{name}/CT,source/{name}/PET,source/{name}/RS.dcm\n" for name in ("anna", "bert"))
    manifest.write_text("case_id,ct,pet,mask\n" + "".join(rows))
    dicom.forget()
    assert dicom.convert(file_format="manifest", source=manifest) == 0
    assert f"WARNING: 2 DICOM file(s) of anna {words}" in dicom.error()


def test_expressions_and_labels_are_checked_before_anything_is_read(
    dicom: DicomCohort, capsys: pytest.CaptureFixture[str]
) -> None:
    for options, words in (
        (("--structure", "GTV"), "'GTV' is not LABEL=REGEX"),
        (("--structure", "GTV=("), "'(' is not a regular expression"),
        (("--tables", "a.csv", "b.csv"), "--tables: one table with dicom"),
    ):
        with pytest.raises(SystemExit):
            dicom.convert(*options)
        assert words in capsys.readouterr().err
    assert dicom.convert() == 2
    assert "There is no DICOM file below" in dicom.error()


def test_nothing_of_a_patients_tags_reaches_an_output(dicom: DicomCohort, tmp_path: Path) -> None:
    """Names, dates and numbers in every text tag of a study, also of one that cannot be converted."""
    planted = {
        "PatientName": "SECRET^NAME", "PatientBirthDate": "19511231", "PatientAddress": "SECRET street",
        "OtherPatientNames": "SECRET^OTHER", "PatientComments": "SECRET comment", "AccessionNumber": "SECRETACC",
        "StudyID": "SECRETSTUDY", "StudyDescription": "SECRET study", "SeriesDescription": "SECRET series",
        "ReferringPhysicianName": "SECRET^DOCTOR", "OperatorsName": "SECRET^OPERATOR", "StudyDate": "20200301",
        "StudyTime": "101112", "ContentDate": "20200301", "InstitutionName": "SECRET hospital",
        "ProtocolName": "SECRET protocol", "StationName": "SECRETSTATION", "PatientAge": "068Y",
    }  # fmt: skip
    tags = {"tags": planted}
    write_patient(dicom.source / "anna", "SECRETID1", **tags)
    write_patient(dicom.source / "bert", "SECRETID2", structures=("Liver",), **tags)
    write_patient(dicom.source / "carl", "SECRETID3", pet={"SeriesTime": "SECRET"}, **tags)
    missing_slice_of = write_patient(dicom.source / "dora", "SECRETID4", **tags)
    next(
        file for file in (missing_slice_of.study.folder / "CT").iterdir() if file.stem.endswith("_4")
    ).unlink()
    compressed(sorted((write_patient(dicom.source / "emil", "SECRETID5", **tags).study.folder / "CT").iterdir())[2],
               "1.2.840.10008.1.2.4.201")  # fmt: skip
    assert dicom.convert() == 1
    said = dicom.capsys.readouterr()
    outputs = {path.name: path.read_bytes() for path in dicom.raw.rglob("*") if path.is_file()}
    assert len(outputs) == 5  # CT, PET, mask, log, dataset.json
    unzipped = {name: _content(dicom.raw, name) for name in outputs}
    for name, content in {**outputs, **unzipped, "said": (said.out + said.err).encode()}.items():
        for word in (b"SECRET", b"19511231", b"20200301", b"101112", b"068Y", b"2020-03-01"):
            assert word not in content, f"{word!r} in {name}"
        assert missing_slice_of.study.study_uid.encode() not in content
    assert [line.split(":")[0].strip() for line in said.err.splitlines() if line.startswith("  ")] == [
        "bert", "carl", "dora", "emil"
    ]  # fmt: skip


def _content(folder: Path, name: str) -> bytes:
    file = next(folder.rglob(name))
    return gzip.decompress(file.read_bytes()) if name.endswith(".gz") else file.read_bytes()
