"""The masks of a prediction as DICOM: each patient's on its own CT series, and faulty patients named."""

import json
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pytest
from pydicom import dcmread

from nnunetv2_adamss.prediction.dicom_masks import DicomMasks, find_ct_series
from tests.dicom.ct_slices import BIRTH_DATE, NAME, PATIENT_ID, STUDY_DATE, CtWriter
from tests.dicom.reopened import masks_of_segmentation

CASES = ("anna", "ben", "carl")
DATASET = {
    "file_ending": ".nii.gz",
    "channel_names": {"0": "CT", "1": "PET"},
    "labels": {"background": 0, "GTVp": 1, "GTVn": 2},
}


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Three patients with images (``images``), CT series (``ct``) and a finished prediction (``out``)."""
    writer = CtWriter()
    (tmp_path / "images").mkdir()
    (tmp_path / "out" / "masks").mkdir(parents=True)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "dataset.json").write_text(json.dumps(DATASET))
    for number, case in enumerate(CASES):
        writer.write(tmp_path / "ct" / case / "series")
        labels = np.zeros((*writer.shape[::-1], len(writer.positions_mm)), np.uint8)
        labels[4 : 9 + number, 5:15, 2:6] = 1
        nibabel.save(
            nibabel.Nifti1Image(labels, writer.affine), tmp_path / "out" / "masks" / f"{case}.nii.gz"
        )
        (tmp_path / "images" / f"{case}_0000.nii.gz").touch()
    pd.DataFrame({"case_id": CASES, "risk_score": 0.5}).to_csv(
        tmp_path / "out" / "survival_predictions.csv", index=False
    )
    return tmp_path


def dicom_masks(work: Path, ct_series: Path | None = None) -> DicomMasks:
    return DicomMasks.of(work / "images", ct_series or work / "ct", work / "model", work / "dicom")


def test_every_patients_mask_is_written_on_its_own_series(work: Path) -> None:
    assert dicom_masks(work).write(work / "out") == {}
    assert sorted(file.name for file in (work / "dicom").iterdir()) == [
        f"{case}_{kind}.dcm" for case in CASES for kind in ("RTSTRUCT", "SEG")
    ]
    for case in CASES:
        slices = sorted(
            (work / "ct" / case / "series").iterdir(), key=lambda file: dcmread(file).ImagePositionPatient[2]
        )
        masks = masks_of_segmentation(work / "dicom" / f"{case}_SEG.dcm", slices)
        voxels = np.asarray(nibabel.load(work / "out" / "masks" / f"{case}.nii.gz").dataobj)
        np.testing.assert_array_equal(masks["GTVp"], voxels.T == 1)


def test_faulty_patients_are_named_and_the_others_are_written(
    work: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    CtWriter().write(work / "ct" / "anna" / "second")
    for file in (work / "ct" / "ben" / "series").iterdir():
        file.write_bytes(file.read_bytes()[:700])
    with caplog.at_level("DEBUG"):
        failed = dicom_masks(work).write(work / "out")
    assert list(failed) == ["anna", "ben"]
    assert failed["anna"] == "its CT slices are not one series: 2 different StudyInstanceUID"
    assert {file.name for file in (work / "dicom").iterdir()} == {"carl_SEG.dcm", "carl_RTSTRUCT.dcm"}
    said = caplog.text + "".join(capfd.readouterr()) + str(failed)
    for secret in (NAME, NAME.split("^")[0], PATIENT_ID, BIRTH_DATE, STUDY_DATE):
        assert secret not in said


def test_a_patient_without_a_series_is_named(work: Path) -> None:
    table = work / "series.csv"
    table.write_text("case_id,ct,pet\nanna,ct/anna,\nben,ct/nowhere,\ncarl,,\nelse,ct/ben,\n")
    assert dicom_masks(work, table).write(work / "out") == {
        "ben": "a CT series has several slices, but 0 CT slice(s) were found",
        "carl": "no CT series was given for it",
    }


def test_a_second_run_keeps_what_is_written(work: Path) -> None:
    dicom_masks(work).write(work / "out")
    before = {file: (file.stat().st_mtime_ns, file.read_bytes()) for file in (work / "dicom").iterdir()}
    (work / "dicom" / "anna_SEG.dcm").unlink()
    dicom_masks(work).write(work / "out")
    kept = [file for file in before if file.name != "anna_SEG.dcm"]
    assert {file: (file.stat().st_mtime_ns, file.read_bytes()) for file in kept} == {
        f: before[f] for f in kept
    }
    assert (work / "dicom" / "anna_SEG.dcm").is_file()


def test_series_of_none_of_the_patients_are_an_error_before_the_prediction(work: Path) -> None:
    (work / "else").mkdir()
    with pytest.raises(ValueError, match=r"no CT series of a patient in .*images.*, such as anna, or a CSV"):
        dicom_masks(work, work / "else")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("case_id,folder\nanna,ct/anna\n", "no column 'ct', only case_id, folder"),
        ("case_id,ct\nanna,ct/anna\nanna,ct/ben\n", "column 'case_id' must differ from row to row"),
        ("case_id,ct,ct\nanna,ct/anna,ct/ben\n", "columns occur more than once: 'ct'"),
    ],
)
def test_a_table_of_series_with_faults_is_refused(text: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "series.csv").write_text(text)
    with pytest.raises(ValueError, match=sentence):
        find_ct_series(tmp_path / "series.csv")
