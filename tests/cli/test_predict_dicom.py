"""``adamss_predict_survival -i`` with a folder of DICOM, up to the prediction itself."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from nnunetv2_adamss.cli import convert_dataset, predict_survival
from nnunetv2_adamss.dicom.dicom_series import read_headers, series_of
from nnunetv2_adamss.dicom.polygons import rasterised, read_polygons
from nnunetv2_adamss.dicom.segments import read_segments
from nnunetv2_adamss.dicom.slices import read_stack
from nnunetv2_adamss.prediction import predict_patients as prediction
from nnunetv2_adamss.prediction.predict_patients import PredictionReport, PredictionRequest
from tests.datasets.conversion.dicom_cohort import TUMOUR_SUV, write_patient


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a model without files, whose training images were converted on the PET's grid."""
    write_patient(tmp_path / "training" / "first", "P1")
    options = ["-d", "9", "--name", "Test", "-o", str(tmp_path / "raw"), "-np", "1", "--grid", "pet"]
    assert convert_dataset.main(["dicom", str(tmp_path / "training"), *options]) == 0
    monkeypatch.setenv("nnUNet_raw", str(tmp_path / "raw"))
    folder = tmp_path / "results" / "Dataset009_Test" / "Trainer__Plans__3d_fullres"
    folder.mkdir(parents=True)
    for name in ("check_checkpoints", "check_model"):
        monkeypatch.setattr(predict_survival, name, lambda *arguments: None)
    return folder


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[PredictionRequest]:
    """What would have been predicted."""
    made: list[PredictionRequest] = []

    def predict(request: PredictionRequest, *callbacks: object) -> PredictionReport:
        made.append(request)
        return PredictionReport(request.output, "model", n_predicted=1)

    monkeypatch.setattr(prediction, "predict_patients", predict)
    return made


def test_dicom_is_converted_as_the_training_images_were(
    model: Path, requests: list[PredictionRequest], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the PET's grid, in SUV; a faulty patient is named beside those who cannot be predicted."""
    write_patient(tmp_path / "new" / "anna", "P7")
    write_patient(tmp_path / "new" / "bert", "P8", structures=(), pet={"Units": "PROPCPS"})
    arguments = ["-i", str(tmp_path / "new"), "-o", str(tmp_path / "out"), "-m", str(model)]
    assert predict_survival.main(arguments) == 1
    images = tmp_path / "out" / "images" / "imagesTs"
    assert [request.images for request in requests] == [images]
    assert sorted(file.name for file in images.iterdir()) == ["anna_0000.nii.gz", "anna_0001.nii.gz"]
    pet = sitk.ReadImage(str(images / "anna_0001.nii.gz"))
    assert pet.GetSpacing() == (4.0, 4.0, 4.0)
    assert sitk.GetArrayFromImage(pet).max() == pytest.approx(TUMOUR_SUV, rel=1e-4)
    said = capsys.readouterr()
    assert "1 patient(s) predicted" in said.out
    assert "1 patient(s) could not be predicted:\n  bert: its PET cannot be in SUV" in said.err


def test_masks_go_back_to_the_ct_voxel_by_voxel_and_are_read_again(
    model: Path, requests: list[PredictionRequest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mask that would be predicted is on the PET's voxels, four CT pixels each; the objects hold CT pixels."""
    write_patient(tmp_path / "new" / "anna", "P7", structures=())
    (model / "dataset.json").write_text((tmp_path / "raw" / "Dataset009_Test" / "dataset.json").read_text())
    mask = np.zeros((10, 12, 12), np.uint8)
    mask[2:7, 3:9, 4:8] = 1
    mask[4, 5:7, 5:7] = 0  # a hole

    def predict(request: PredictionRequest, *callbacks: object) -> PredictionReport:
        pet = sitk.ReadImage(str(request.images / "anna_0001.nii.gz"))
        image = sitk.GetImageFromArray(mask)
        image.CopyInformation(pet)
        (request.output / "masks").mkdir()
        sitk.WriteImage(image, str(request.output / "masks" / "anna.nii.gz"))
        (request.output / "survival_predictions.csv").write_text("case_id\nanna\n")
        return PredictionReport(request.output, "model", n_predicted=1)

    monkeypatch.setattr(prediction, "predict_patients", predict)
    arguments = ["-i", str(tmp_path / "new"), "-o", str(tmp_path / "out"), "-m", str(model)]
    assert predict_survival.main([*arguments, "--dicom_out", str(tmp_path / "dicom")]) == 0
    expected = mask.repeat(2, axis=1).repeat(2, axis=2)
    ct = read_stack(series_of(read_headers(sorted((tmp_path / "new").rglob("*.dcm")))[0])[0]).grid
    contours = read_polygons(tmp_path / "dicom" / "anna_RTSTRUCT.dcm", [1])
    assert np.array_equal(rasterised(contours, {1: 1}, ct)[0], expected)
    segments = read_segments(tmp_path / "dicom" / "anna_SEG.dcm", {1: 1})
    on_ct = sitk.Resample(segments, size=ct.size, outputOrigin=ct.origin_mm, outputSpacing=ct.spacing_mm,
                          interpolator=sitk.sitkNearestNeighbor)  # fmt: skip
    assert np.array_equal(sitk.GetArrayFromImage(on_ct), expected)


def test_masks_as_dicom_need_a_ct_series(
    model: Path, requests: list[PredictionRequest], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = tmp_path / "raw" / "Dataset009_Test" / "imagesTr"
    arguments = ["-i", str(images), "-o", str(tmp_path / "out"), "-m", str(model)]
    assert predict_survival.main([*arguments, "--dicom_out", str(tmp_path / "dicom")]) == 2
    assert "--dicom_out needs the patients' CT series" in capsys.readouterr().err
    assert not requests


def test_images_of_other_patients_are_not_mixed_with_those_of_an_earlier_run(
    model: Path, requests: list[PredictionRequest], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("anna", "bert"):
        write_patient(tmp_path / name / name)
    arguments = ["-o", str(tmp_path / "out"), "-m", str(model)]
    assert predict_survival.main(["-i", str(tmp_path / "anna"), *arguments]) == 0
    assert predict_survival.main(["-i", str(tmp_path / "bert"), *arguments]) == 2
    assert "To predict: remove" in capsys.readouterr().err
    assert len(requests) == 1


def test_a_patient_whose_new_scan_is_faulty_is_not_predicted_from_the_former_one(
    model: Path, requests: list[PredictionRequest], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = tmp_path / "new"
    for name in ("anna", "bert"):
        write_patient(new / name, name)
    arguments = ["-i", str(new), "-o", str(tmp_path / "out"), "-m", str(model)]
    assert predict_survival.main(arguments) == 0
    shutil.rmtree(new / "bert")
    write_patient(new / "bert", "bert", pet={"Units": "PROPCPS"})
    assert predict_survival.main(arguments) == 1
    images = tmp_path / "out" / "images" / "imagesTs"
    assert sorted(file.name for file in images.iterdir()) == ["anna_0000.nii.gz", "anna_0001.nii.gz"]
    error = capsys.readouterr().err
    assert "1 patient(s) could not be predicted:\n  bert: its PET cannot be in SUV" in error
    assert "kept" not in error


def test_slices_named_as_nnu_net_names_images_are_dicom_nevertheless(
    model: Path, requests: list[PredictionRequest], tmp_path: Path
) -> None:
    write_patient(tmp_path / "written")
    new = tmp_path / "new"
    new.mkdir()
    for number, file in enumerate(sorted((tmp_path / "written").rglob("*.dcm"))):
        file.rename(new / f"IM_{number:04d}.dcm")
    assert predict_survival.main(["-i", str(new), "-o", str(tmp_path / "out"), "-m", str(model)]) == 0
    assert [request.images for request in requests] == [tmp_path / "out" / "images" / "imagesTs"]


def test_images_of_nnu_net_are_predicted_as_they_are(
    model: Path, requests: list[PredictionRequest], tmp_path: Path
) -> None:
    images = tmp_path / "raw" / "Dataset009_Test" / "imagesTr"
    assert predict_survival.main(["-i", str(images), "-o", str(tmp_path / "out"), "-m", str(model)]) == 0
    assert [request.images for request in requests] == [images]
    assert not (tmp_path / "out").exists()


def test_the_log_of_the_training_images_is_needed(
    model: Path, requests: list[PredictionRequest], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_patient(tmp_path / "new" / "anna")
    arguments = ["-i", str(tmp_path / "new"), "-o", str(tmp_path / "out"), "-m", str(model)]
    assert predict_survival.main([*arguments, "-num_parts", "2"]) == 2
    assert "-num_parts: not with DICOM" in capsys.readouterr().err
    log = tmp_path / "raw" / "Dataset009_Test" / "conversion_log.json"
    elsewhere = log.rename(tmp_path / "elsewhere.json")
    assert predict_survival.main(arguments) == 2
    assert "give theirs with --conversion_log" in capsys.readouterr().err
    assert not requests
    assert predict_survival.main([*arguments, "--conversion_log", str(elsewhere)]) == 0
    assert len(requests) == 1
