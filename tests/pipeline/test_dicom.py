"""From a scanner's files to a report: DICOM is converted, trained on, predicted, and written again as DICOM."""

import json
from pathlib import Path

import highdicom
import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from nnunetv2_adamss.datasets.phantom import PhantomCohortConfig, write_phantom_dataset
from tests.dicom.writer import Study
from tests.nnunet_project import NnunetProject, run_command

QUICK_SCHEDULES = Path(__file__).with_name("quick_schedules")
STAGE_ONE = "AdaMSSSegTrainer_ShortSchedule"
STAGE_TWO = "AdaMSSSurvTrainer_ShortSchedule_Anchored_NoRadiomics"
MODEL = ("-p", "AdaMSSPlans", "-tr", STAGE_TWO)
PHANTOMS = PhantomCohortConfig(
    n_training=12, n_test=2, shape=(32, 32, 32), spacing_mm=(5, 5, 5), censoring_fraction=0.3
)
# Planted in every study; no output but DICOM of the same patient may hold it.
SECRET = "SECRET^NAME"


def as_dicom(images: Path, labels: Path, folder: Path) -> None:
    """Write a study for each patient of a raw data set: CT, PET in SUV (GML), and a SEG on the CT."""
    for ct_file in sorted(images.glob("*_0000.nii.gz")):
        case_id = ct_file.name.removesuffix("_0000.nii.gz")
        ct, pet, mask = map(
            sitk.ReadImage, (ct_file, images / f"{case_id}_0001.nii.gz", labels / f"{case_id}.nii.gz")
        )
        study = Study(folder / case_id, case_id, tags={"PatientName": SECRET})
        direction = np.array(ct.GetDirection()).reshape(3, 3)
        place = {
            "spacing": ct.GetSpacing(), "origin": ct.GetOrigin(), "orientation": direction[:, :2].T.ravel().tolist()
        }  # fmt: skip
        slices = study.ct(sitk.GetArrayFromImage(ct), **place)
        study.pet(sitk.GetArrayFromImage(pet), **place, Units="GML", SUVType="BW")
        study.segmentation(sitk.GetArrayFromImage(mask), ["GTVp", "GTVn"], slices)


@pytest.mark.slow
def test_dicom_becomes_a_data_set_a_model_predictions_dicom_and_a_report(tmp_path: Path) -> None:
    """With trainings of a few iterations, which teach little."""
    phantoms = write_phantom_dataset(PHANTOMS, tmp_path / "phantoms")
    for part, name in (("Tr", "training"), ("Ts", "new")):
        as_dicom(phantoms / f"images{part}", phantoms / f"labels{part}", tmp_path / name)
    project = NnunetProject(tmp_path)
    environment = project.environment | {"nnUNet_extTrainer": str(QUICK_SCHEDULES)}

    def run(command: str, *arguments: str | Path) -> str:
        return run_command(command, *map(str, arguments), environment=environment)

    structures = ("--structure", "primary_tumour=^GTVp", "--structure", "lymph_nodes=^GTVn")
    run(
        "adamss_convert_dataset", "dicom", tmp_path / "training", "-d", "991", "--name", "Scans", "--grid", "pet",
        *structures, "--tables", phantoms / "survival.csv",
    )  # fmt: skip
    check_converted(project.raw / "Dataset991_Scans", phantoms)

    run("nnUNetv2_plan_and_preprocess", "-d", "991", "--no_pp")
    run("adamss_set_normalization", "-d", "991")
    run("nnUNetv2_preprocess", "-d", "991", "-plans_name", "AdaMSSPlans", "-c", "3d_fullres", "-np", "2")
    run("adamss_make_splits", "-d", "991", "-k", "3")
    run("nnUNetv2_train", "991", "3d_fullres", "0", "-tr", STAGE_ONE, "-p", "AdaMSSPlans", "-device", "cpu")
    run("adamss_finetune_survival", "991", "3d_fullres", "0", *MODEL, "-seg_tr", STAGE_ONE, "-device", "cpu")

    output, objects = tmp_path / "prediction", tmp_path / "objects"
    outcomes = phantoms / "survival_test.csv"
    predicted = run(
        "adamss_predict_survival", "-i", tmp_path / "new", "-o", output, "-d", "991", "-c", "3d_fullres", "-f", "0",
        *MODEL, "--clinical", outcomes, "--dicom_out", objects, "-device", "cpu", "--disable_tta",
    )  # fmt: skip
    assert "2 patient(s) predicted" in predicted
    for case_id in pd.read_csv(outcomes)["case_id"]:
        check_object(objects / f"{case_id}_SEG.dcm", output / "masks" / f"{case_id}.nii.gz")

    report = tmp_path / "report.html"
    run(
        "adamss_report", "-d", "991", "-c", "3d_fullres", "-f", "0", *MODEL, "--predictions", output,
        "--survival_csv", outcomes, "-o", report,
    )  # fmt: skip
    assert "phantomtest000" in report.read_text()
    told = [project.raw, project.preprocessed, project.results, output, report]
    assert not [file for file in files_of(told) if SECRET.encode() in file.read_bytes()]


def check_converted(folder: Path, phantoms: Path) -> None:
    """Images, masks and outcomes are those of the phantoms; a PET slice is stored in steps of its maximum / 32,000."""
    table, expected = (pd.read_csv(one / "survival.csv") for one in (folder, phantoms))
    pd.testing.assert_frame_equal(table, expected, check_dtype=False)
    for case_id in table["case_id"]:
        ct, pet = (
            voxels(folder / "imagesTr" / f"{case_id}_{channel}.nii.gz") for channel in ("0000", "0001")
        )
        assert np.array_equal(ct, voxels(phantoms / "imagesTr" / f"{case_id}_0000.nii.gz"))
        assert pet == pytest.approx(voxels(phantoms / "imagesTr" / f"{case_id}_0001.nii.gz"), abs=1e-3)
        mask = voxels(folder / "labelsTr" / f"{case_id}.nii.gz")
        assert np.array_equal(mask, voxels(phantoms / "labelsTr" / f"{case_id}.nii.gz"))
    log = json.loads((folder / "conversion_log.json").read_text())
    assert log["cases"]["phantom000"]["suv"]["rule"].startswith("GML")


def check_object(file: Path, mask: Path) -> None:
    """The SEG holds the predicted mask, voxel by voxel."""
    image = sitk.ReadImage(mask)
    volume = highdicom.seg.segread(file).get_volume(combine_segments=True, skip_overlap_checks=True)
    points = volume.map_indices_to_reference(np.argwhere(volume.array)) - np.array(image.GetOrigin())
    x, y, z = np.rint(points @ np.reshape(image.GetDirection(), (3, 3)) / image.GetSpacing()).astype(int).T
    expected = np.zeros(image.GetSize()[::-1], np.uint8)
    expected[z, y, x] = volume.array[volume.array > 0]
    assert np.array_equal(sitk.GetArrayFromImage(image), expected)


def voxels(file: Path) -> np.ndarray:
    return sitk.GetArrayFromImage(sitk.ReadImage(file))


def files_of(paths: list[Path]) -> list[Path]:
    """All files among some files and folders."""
    return [file for path in paths for file in (path, *path.rglob("*")) if file.is_file()]
