"""``adamss_predict_survival`` and ``adamss_export_model`` as a user types them."""

import zipfile
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pytest
from nnunetv2.model_sharing.model_import import install_model_from_zip_file

from nnunetv2_adamss.cli import export_model, predict_survival
from tests.dicom.ct_slices import CtWriter
from tests.dicom.reopened import masks_of_segmentation
from tests.trained_model import TrainedModel

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning:torch"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
]

MODEL = ("-tr", "AdaMSSSurvTrainer_TwoIterations_WithRadiomics", "-f", "0", "-chk", "checkpoint_final.pth")


def test_a_model_goes_in_one_zip_to_another_machine_and_predicts_the_same_there(
    trained_model: TrainedModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    cases = trained_model.validation_cases(0)[:2]
    images = trained_model.images(cases, tmp_path / "images")
    monkeypatch.setenv("nnUNet_raw", str(trained_model.project.raw))
    monkeypatch.setenv("nnUNet_results", str(trained_model.results))
    zip_file = tmp_path / "model.zip"
    assert export_model.main(["-d", "902", "-c", "3d_fullres", "-o", str(zip_file), *MODEL]) == 0
    with zipfile.ZipFile(zip_file) as archive:
        names = {name.split("/", 1)[1] for name in archive.namelist()}
    survival, stage_one = (
        f"{trainer}__nnUNetPlans__3d_fullres" for trainer in (MODEL[1], "AdaMSSSegTrainer")
    )
    assert {f"{survival}/fold_0/checkpoint_final.pth", f"{stage_one}/fold_0/checkpoint_best.pth"} <= names
    assert not [name for name in names if name.endswith((".csv", ".nii.gz")) or "fold_1" in name]

    def predict(output: str, *model: str) -> pd.DataFrame:
        arguments = ["-i", str(images), "-o", str(tmp_path / output), "-device", "cpu", *MODEL[2:]]
        clinical = ["--clinical", str(trained_model.clinical)]
        assert predict_survival.main([*arguments, *clinical, *model]) == 0
        return pd.read_csv(tmp_path / output / "survival_predictions.csv")

    installed = ("-d", "Dataset902_Phantoms", "-c", "3d_fullres", *MODEL[:2])
    here = predict("here", *installed)
    elsewhere = tmp_path / "another_machine"
    elsewhere.mkdir()
    monkeypatch.setattr("nnunetv2.model_sharing.model_import.nnUNet_results", str(elsewhere))
    install_model_from_zip_file(str(zip_file))
    for name, folder in (("raw", "empty"), ("preprocessed", "empty"), ("results", "another_machine")):
        (tmp_path / folder).mkdir(exist_ok=True)
        monkeypatch.setenv(f"nnUNet_{name}", str(tmp_path / folder))
    pd.testing.assert_frame_equal(predict("there", *installed), here)
    assert "2 patient(s) predicted" in capsys.readouterr().out
    pd.testing.assert_frame_equal(predict("unpacked", "-m", str(zip_file), "-q"), here)
    assert capsys.readouterr().out.startswith(f"2 patient(s) predicted: {tmp_path / 'unpacked'}\n")


def test_faulty_patients_are_said_at_the_end_with_another_exit_code(
    trained_model: TrainedModel,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    cases = trained_model.validation_cases(0)[:2]
    images = trained_model.images(cases, tmp_path / "images")
    (images / f"{cases[0]}_0001.nii.gz").unlink()
    arguments = [
        "-i",
        str(images),
        "-o",
        str(tmp_path / "out"),
        "-m",
        str(trained_model.folder),
        "-device",
        "cpu",
    ]
    clinical = ["--clinical", str(trained_model.clinical)]
    assert predict_survival.main([*arguments, *clinical, *MODEL[2:]]) == 1
    said = capsys.readouterr()
    assert "1 patient(s) predicted" in said.out
    assert "Survival curves are uncalibrated" in said.out
    assert (
        f"1 patient(s) could not be predicted:\n  {cases[0]}: " in said.err and "does not exist" in said.err
    )


def test_masks_are_also_written_as_dicom_and_patients_without_a_ct_series_named(
    trained_model: TrainedModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = trained_model.validation_cases(0)[:2]
    images = trained_model.images(cases, tmp_path / "images")
    slices = write_series_of(images / f"{cases[0]}_0000.nii.gz", tmp_path / "ct" / cases[0])
    arguments = ["-i", str(images), "-o", str(tmp_path / "out"), "-m", str(trained_model.folder), *MODEL[2:]]
    clinical = ["--clinical", str(trained_model.clinical), "-device", "cpu"]
    dicom = ["--dicom_out", str(tmp_path / "dicom"), "--ct_series", str(tmp_path / "ct")]
    assert predict_survival.main([*arguments, *clinical, *dicom]) == 1
    said = capsys.readouterr()
    assert "2 patient(s) predicted" in said.out
    assert f"1 patient(s) have no mask in DICOM:\n  {cases[1]}: no CT series was given" in said.err
    masks = masks_of_segmentation(tmp_path / "dicom" / f"{cases[0]}_SEG.dcm", slices)
    predicted = np.asarray(nibabel.load(tmp_path / "out" / "masks" / f"{cases[0]}.nii.gz").dataobj)
    assert predicted.any()
    for value, mask in enumerate(masks.values(), start=1):
        np.testing.assert_array_equal(mask, np.equal(predicted.T, value))


def write_series_of(image: Path, folder: Path) -> list[Path]:
    """CT slices where the voxels of an image with axes along the patient's lie."""
    opened = nibabel.load(image)
    right, front, up = opened.affine.diagonal()[:3]
    assert np.count_nonzero(opened.affine[:3, :3]) == 3
    return CtWriter(
        shape=opened.shape[1::-1],
        positions_mm=[up * z * np.sign(right * front) for z in range(opened.shape[2])],
        spacing_mm=(abs(front), abs(right)),
        orientation=(-np.sign(right), 0, 0, 0, -np.sign(front), 0),
        origin_mm=tuple(opened.affine[:3, 3] * (-1, -1, 1)),
    ).write(folder)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "give -d and -c, or -m"),
        (("-m", "model", "-d", "902", "-c", "3d_fullres"), "give -d and -c, or -m"),
        (("-m", "model", "-f", "0", "all"), "-f takes numbers, or all by itself"),
        (("-m", "model", "-f", "0", "0"), "-f names a fold twice"),
        (("-m", "model", "-num_parts", "2", "-part_id", "2"), "-part_id must be from 0 to 1"),
        (("-m", "model", "--masks", "masks", "--disable_tta"), "exclude each other"),
        (("-m", "model", "--ct_series", "ct"), "--ct_series: only with --dicom_out"),
        (
            ("-m", "model", "--dicom_out", "dicom", "--ct_series", "ct", "-num_parts", "2"),
            "--dicom_out needs all parts",
        ),
        (
            ("-m", "model", "--dicom_out", "dicom", "--ct_series", "ct", "--masks", "masks"),
            "--dicom_out and --masks exclude each other",
        ),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    arguments: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        predict_survival.main(["-i", "images", "-o", "out", *arguments])
    assert stopped.value.code == 2
    assert sentence in capsys.readouterr().err


def test_a_model_that_is_not_there_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [
        "-i",
        str(tmp_path),
        "-o",
        str(tmp_path / "out"),
        "-m",
        str(tmp_path / "model"),
        "-device",
        "cpu",
    ]
    assert predict_survival.main(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("adamss_predict_survival: There is no model ")
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "out").exists()
