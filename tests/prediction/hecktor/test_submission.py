"""A submission to HECKTOR: masks back on the CT, risks by patient."""

import json
from pathlib import Path

import pandas as pd
import pytest
import SimpleITK as sitk

from nnunetv2_adamss.cli import predict_survival
from nnunetv2_adamss.common.voxel_grid import VoxelGrid
from nnunetv2_adamss.datasets.conversion.resample import resample_mask
from nnunetv2_adamss.prediction.hecktor.submission import Submission
from tests.prediction.hecktor.conftest import CASES
from tests.trained_model import TrainedModel

MODEL = ("-f", "0", "-chk", "checkpoint_final.pth", "-device", "cpu")


@pytest.fixture
def prediction(converted: Path, native: Path, tmp_path: Path) -> Path:
    """What a perfect prediction of the converted images leaves."""
    folder = tmp_path / "out"
    (folder / "masks").mkdir(parents=True)
    for number, case in enumerate(CASES):
        image = sitk.ReadImage(str(converted / "imagesTs" / f"{case}_0000.nii.gz"))
        truth = sitk.ReadImage(str(native / f"phantom00{number}.nii.gz"))
        sitk.WriteImage(resample_mask(truth, VoxelGrid.of(image)), str(folder / "masks" / f"{case}.nii.gz"))
    table = pd.DataFrame(
        {"case_id": CASES, "risk_score": [-900.5, -100.25], "predicted_time": [900.5, 100.25]}
    )
    table.to_csv(folder / "survival_predictions.csv", index=False)
    return folder


def test_masks_come_back_to_the_voxels_of_the_ct(prediction: Path, converted: Path, native: Path) -> None:
    folder = Submission.of(converted / "imagesTs").write(prediction)
    for number, case in enumerate(CASES):
        truth = sitk.ReadImage(str(native / f"phantom00{number}.nii.gz"))
        ct = sitk.ReadImage(str(native / f"phantom00{number}__CT.nii.gz"))
        mask = sitk.ReadImage(str(folder / "masks" / f"{case}.nii.gz"))
        assert VoxelGrid.of(mask) == VoxelGrid.of(ct)  # to the last digit
        assert mask.GetPixelID() == sitk.sitkUInt8
        overlap = sitk.LabelOverlapMeasuresImageFilter()
        overlap.Execute(sitk.Cast(truth, sitk.sitkUInt8), mask)
        assert overlap.GetDiceCoefficient(1) > 0.8  # voxels of 3.3 mm by way of voxels of 5 mm


def test_the_table_holds_a_risk_that_is_higher_for_earlier_events(prediction: Path, converted: Path) -> None:
    folder = Submission.of(converted / "imagesTs").write(prediction)
    assert (
        folder / "predictions.csv"
    ).read_text() == "PatientID,Prediction\nCHUM-001,-900.5\nCHUS-002,-100.25\n"


def test_masks_of_patients_who_are_gone_do_not_stay(prediction: Path, converted: Path) -> None:
    submission = Submission.of(converted / "imagesTs")
    submission.write(prediction)
    table = pd.read_csv(prediction / "survival_predictions.csv")
    table[:1].to_csv(prediction / "survival_predictions.csv", index=False)
    folder = submission.write(prediction)
    assert [path.name for path in (folder / "masks").iterdir()] == [f"{CASES[0]}.nii.gz"]


def test_what_a_killed_run_was_writing_does_not_stop_the_next(prediction: Path, converted: Path) -> None:
    submission = Submission.of(converted / "imagesTs")
    masks = submission.write(prediction) / "masks"
    (masks / f".unfinished_host_1_{CASES[0]}.nii.gz").write_bytes(b"half of a mask")
    (masks / ".unfinished_folder").mkdir()  # as earlier versions left it
    submission.write(prediction)
    assert sorted(path.name for path in masks.iterdir()) == [f"{case}.nii.gz" for case in CASES]


@pytest.mark.parametrize("fault", ["missing", "cut off", "no image"])
def test_a_mask_that_is_missing_or_damaged_is_a_sentence(
    prediction: Path, converted: Path, fault: str
) -> None:
    mask = prediction / "masks" / f"{CASES[1]}.nii.gz"
    whole = mask.read_bytes()
    if fault == "missing":
        mask.unlink()
    else:
        mask.write_bytes(whole[:-40] if fault == "cut off" else b"text")
    expected = {
        "missing": "does not exist",
        "cut off": "is cut off or damaged",
        "no image": "cannot be read",
    }
    with pytest.raises(
        ValueError, match=f"^No submission: .*{expected[fault]}.*; predict again, without --c.$"
    ):
        Submission.of(converted / "imagesTs").write(prediction)


def test_a_full_disk_is_a_sentence(
    prediction: Path, converted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **options: bool) -> None:
        raise RuntimeError("Exception thrown in SimpleITK\nITK ERROR: No space left on device")

    monkeypatch.setattr(sitk, "WriteImage", fail)
    with pytest.raises(OSError, match=r"cannot be written \(ITK ERROR: No space left on device\)$"):
        Submission.of(converted / "imagesTs").write(prediction)


def test_patients_whose_ct_is_not_known_are_named_before_anything_is_predicted(
    converted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = json.loads((converted / "conversion_log.json").read_text())
    del log["cases"][CASES[1]]
    (tmp_path / "log.json").write_text(json.dumps(log))
    with pytest.raises(ValueError, match=f"has no entry for {CASES[1]}, so the grids"):
        Submission.of(converted / "imagesTs", tmp_path / "log.json")
    log["cases"][CASES[1]] = {"source_grids": {"ct": {"size_xyz": ["x"]}}}
    (tmp_path / "log.json").write_text(json.dumps(log))
    with pytest.raises(ValueError, match=rf"log\.json does not say on which grid the CT of {CASES[1]} was"):
        Submission.of(converted / "imagesTs", tmp_path / "log.json")
    with pytest.raises(ValueError, match="cannot be read as the log of adamss_convert_dataset"):
        Submission.of(tmp_path)
    arguments = ["-i", "x", "-o", "y", "-m", "z", "--hecktor_submission", "-num_parts", "2"]
    with pytest.raises(SystemExit):
        predict_survival.main(arguments)
    assert "--hecktor_submission needs all parts" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore::FutureWarning:torch")
def test_the_command_writes_it_beside_its_prediction(
    trained_model: TrainedModel, converted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clinical = tmp_path / "clinical.csv"
    clinical.write_text("case_id,age,hpv\nCHUM-001,60,1\nCHUS-002,50,\n")
    out = tmp_path / "out"
    paths = ["-i", str(converted / "imagesTs"), "-o", str(out), "-m", str(trained_model.folder)]
    assert predict_survival.main([*paths, "--clinical", str(clinical), "--hecktor_submission", *MODEL]) == 0
    assert f"Submission: {out / 'hecktor_submission'}" in capsys.readouterr().out
    predicted = pd.read_csv(out / "survival_predictions.csv")
    submitted = pd.read_csv(out / "hecktor_submission" / "predictions.csv")
    assert submitted.to_numpy().tolist() == predicted[["case_id", "risk_score"]].to_numpy().tolist()
    for case in CASES:
        assert (out / "hecktor_submission" / "masks" / f"{case}.nii.gz").is_file()
