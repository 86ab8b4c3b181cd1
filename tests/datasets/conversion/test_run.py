"""Many patients: what is kept, what is done again, what is refused; and manifests of any cohort."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from nnunetv2_adamss.cli.convert_dataset import main
from nnunetv2_adamss.survival.cohort.table import read_survival_table
from tests.datasets.conversion.test_head_and_neck import BRAIN, ORGANS, SPACING, whole_body

COARSE = ["--spacing", "5"]


@pytest.fixture
def manifest(native: Path, tmp_path: Path) -> Path:
    """Four phantoms, one of them without a mask and one without an outcome; clinical columns of the user's."""
    rows = ["Case_ID,ct,pet,MASK,time,event,stage,hospital"]
    for number in range(4):
        files = ",".join(
            str(native / f"phantom{number:03}{ending}.nii.gz") for ending in ("__CT", "__PT", "")
        )
        rows.append(f"patient_{number},{files},{100 + number},{number % 2},II,North")
    rows[3] = rows[3].replace(",102,0,", ",NA,,")
    rows[4] = rows[4].replace(str(native / "phantom003.nii.gz"), "")
    file = tmp_path / "cohort.csv"
    file.write_text("\n".join(rows) + "\n")
    return file


def arguments(manifest: Path, raw: Path, *options: str, spacing: bool = True) -> list[str]:
    coarse = COARSE if spacing else []
    common = ["-d", "8", "-o", str(raw), "-np", "1", "--labels", "GTVp", "GTVn"]
    return ["manifest", str(manifest), *common, *coarse, *options]


def convert(manifest: Path, raw: Path, *options: str, spacing: bool = True) -> int:
    return main(arguments(manifest, raw, *options, spacing=spacing))


def times_written(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (folder / "imagesTr").iterdir()}


def images(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*.nii.gz")}


def test_a_manifest_becomes_a_data_set(manifest: Path, tmp_path: Path) -> None:
    (tmp_path / "survival.json").write_text('{"time_unit": "months", "group_column": "hospital"}')
    assert convert(manifest, tmp_path) == 0
    folder = tmp_path / "Dataset008_manifest"
    table = read_survival_table(folder / "survival.csv")
    assert table.case_ids == ["patient_0", "patient_1", "patient_2"]
    assert table.without_outcome == ["patient_2"]
    assert table.description.time_unit == "months"
    assert table.groups("hospital").tolist() == ["North"] * 3
    assert (folder / "survival_test.csv").read_text().splitlines()[1] == "patient_3,103,1,II,North"
    assert sorted(path.name for path in (folder / "imagesTs").iterdir()) == [
        "patient_3_0000.nii.gz", "patient_3_0001.nii.gz"
    ]  # fmt: skip
    assert json.loads((folder / "dataset.json").read_text())["labels"] == {
        "background": 0,
        "GTVp": 1,
        "GTVn": 2,
    }


def test_a_cohort_without_outcomes_serves_stage_one(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = manifest.read_text()
    assert convert(manifest, tmp_path / "with") == 0
    assert "Next: adamss_verify_dataset 8" in capsys.readouterr().out
    manifest.write_text("\n".join(",".join(row.split(",")[:4]) for row in text.splitlines()))
    assert convert(manifest, tmp_path) == 0
    assert not (tmp_path / "Dataset008_manifest" / "survival.csv").exists()
    assert "No event to learn survival from. Next, for Stage I: nnUNetv2_plan_and_preprocess -d 8" in (
        capsys.readouterr().out
    )


def test_every_fault_of_a_manifest_is_said(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = manifest.read_text()
    manifest.write_text(text.replace("patient_1", "patient/1").replace("patient_2", "Patient_0"))
    assert convert(manifest, tmp_path) == 2
    error = capsys.readouterr().err
    assert "no file can have such a case_id: 'patient/1'" in error
    assert "case_id is there more than once: Patient_0" in error
    manifest.write_text(text.replace("hospital", "mask"))
    assert convert(manifest, tmp_path) == 2
    assert "columns are there more than once: 'mask'" in capsys.readouterr().err
    manifest.write_text(text.replace("MASK", "label"))
    assert convert(manifest, tmp_path) == 2
    assert "there is no column mask; expected case_id, ct, pet, mask, found case_id, ct, pet, label" in (
        capsys.readouterr().err
    )


def test_an_impossible_outcome_stops_before_images_are_read(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest.write_text(manifest.read_text().replace(",101,1,", ",-5,1,"))
    assert convert(manifest, tmp_path) == 2
    assert "The survival table is not usable: " in capsys.readouterr().err
    assert not (tmp_path / "Dataset008_manifest").exists()


@pytest.mark.parametrize("events", [("yes", "no"), ("dead", "alive"), ("2", "0")])
def test_events_in_other_words_stop_before_images_are_read(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], events: tuple[str, str]
) -> None:
    text = manifest.read_text()
    for number in range(4):
        text = text.replace(f",{100 + number},{number % 2},", f",{100 + number},{events[1 - number % 2]},")
    manifest.write_text(text)
    assert convert(manifest, tmp_path) == 2
    assert "column 'event' must be 0 (censored) or 1 (observed)" in capsys.readouterr().err
    assert not (tmp_path / "Dataset008_manifest").exists()


def test_not_available_is_no_name_of_a_file(manifest: Path, native: Path, tmp_path: Path) -> None:
    manifest.write_text(manifest.read_text().replace(str(native / "phantom002.nii.gz"), "NA"))
    assert convert(manifest, tmp_path) == 0
    assert (tmp_path / "Dataset008_manifest" / "imagesTs" / "patient_2_0000.nii.gz").is_file()


def test_a_second_run_converts_only_what_was_missing_or_has_changed(
    manifest: Path, native: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "mine.nii.gz"
    copy.write_bytes(b"not there yet")
    manifest.write_text(manifest.read_text().replace(str(native / "phantom001__PT.nii.gz"), str(copy)))
    assert convert(manifest, tmp_path) == 2
    folder = tmp_path / "Dataset008_manifest"
    before = times_written(folder)
    assert "patient_1_0001.nii.gz" not in before
    copy.write_bytes((native / "phantom001__PT.nii.gz").read_bytes())
    assert convert(manifest, tmp_path) == 0
    after = times_written(folder)
    assert before.items() <= after.items()
    assert set(after) - set(before) == {"patient_1_0000.nii.gz", "patient_1_0001.nii.gz"}
    assert "3 patients were there already" in capsys.readouterr().out
    copy.write_bytes((native / "phantom002__PT.nii.gz").read_bytes())
    assert convert(manifest, tmp_path) == 0
    again = times_written(folder)
    assert {name for name in again if again[name] != after[name]} == set(after) - set(before)


def test_a_run_that_was_killed_goes_on_and_ends_with_the_same_files(manifest: Path, tmp_path: Path) -> None:
    folder = tmp_path / "killed" / "Dataset008_manifest"
    command = [sys.executable, "-m", "nnunetv2_adamss.cli.convert_dataset"]
    process = subprocess.Popen([*command, *arguments(manifest, folder.parent)])
    while not (done := list((folder / ".conversion" / "cases").glob("*.json"))) and process.poll() is None:
        time.sleep(0.001)
    process.kill()
    process.wait()
    assert done
    before = times_written(folder)
    assert convert(manifest, folder.parent) == 0
    kept = [f"{file.stem}_{channel}.nii.gz" for file in done for channel in ("0000", "0001")]
    after = times_written(folder)
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert not (folder / ".conversion").exists()
    convert(manifest, tmp_path / "whole")
    assert images(folder) == images(tmp_path / "whole" / "Dataset008_manifest")


def test_a_patient_who_could_not_be_written_leaves_no_images(manifest: Path, tmp_path: Path) -> None:
    """A folder stands where the mask is to be, so CT and PET are there when writing fails."""
    folder = tmp_path / "Dataset008_manifest"
    assert convert(manifest, tmp_path) == 0
    for file in folder.rglob("patient_1*"):
        file.unlink()
    (folder / "labelsTr" / "patient_1.nii.gz").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "unlink", _unlink_of_files)
        assert convert(manifest, tmp_path) == 2
    assert not list((folder / "imagesTr").glob("patient_1*"))


def _unlink_of_files(path: Path, missing_ok: bool = False) -> None:
    if not path.is_dir() and (path.exists() or not missing_ok):
        os.unlink(path)


def test_voxels_beside_their_header_are_noticed_when_they_change(
    manifest: Path, native: Path, tmp_path: Path
) -> None:
    pet = sitk.ReadImage(str(native / "phantom001__PT.nii.gz"))
    sitk.WriteImage(pet, str(tmp_path / "pet.mhd"))
    manifest.write_text(manifest.read_text().replace(str(native / "phantom001__PT.nii.gz"), "pet.mhd"))
    assert convert(manifest, tmp_path) == 0
    before = images(tmp_path / "Dataset008_manifest")
    sitk.WriteImage(pet * 2, str(tmp_path / "pet.mhd"))
    assert convert(manifest, tmp_path) == 0
    after = images(tmp_path / "Dataset008_manifest")
    assert [name for name in after if after[name] != before[name]] == ["patient_1_0001.nii.gz"]


def test_labels_that_a_header_scales_are_whole_numbers(manifest: Path, native: Path, tmp_path: Path) -> None:
    mask = sitk.Cast(sitk.ReadImage(str(native / "phantom001.nii.gz")), sitk.sitkFloat64)
    sitk.WriteImage(mask * (1 - 1e-7), str(tmp_path / "scaled.nii.gz"))
    assert convert(manifest, tmp_path / "whole") == 0
    manifest.write_text(manifest.read_text().replace(str(native / "phantom001.nii.gz"), "scaled.nii.gz"))
    assert convert(manifest, tmp_path / "scaled") == 0
    name = Path("Dataset008_manifest", "labelsTr", "patient_1.nii.gz")
    assert (tmp_path / "scaled" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_patient_who_is_no_longer_there_leaves_no_images(manifest: Path, tmp_path: Path) -> None:
    convert(manifest, tmp_path)
    manifest.write_text("\n".join(manifest.read_text().splitlines()[:3]) + "\n")
    assert convert(manifest, tmp_path) == 0
    folder = tmp_path / "Dataset008_manifest"
    assert len(list((folder / "imagesTr").iterdir())) == 4
    assert len(list((folder / "labelsTr").iterdir())) == 2
    assert not list((folder / "imagesTs").iterdir())
    assert not (folder / "survival_test.csv").exists()


def test_other_settings_need_overwrite_and_other_folders_are_left_alone(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert convert(manifest, tmp_path) == 0
    assert convert(manifest, tmp_path, "--spacing", "6") == 2
    assert "was converted with other settings" in capsys.readouterr().err
    assert convert(manifest, tmp_path, "--spacing", "6", "--overwrite") == 0
    image = sitk.ReadImage(str(tmp_path / "Dataset008_manifest" / "labelsTr" / "patient_0.nii.gz"))
    assert image.GetSpacing() == pytest.approx((6, 6, 6))
    assert convert(manifest, tmp_path, "--name", "Other") == 2
    assert "The id of Dataset008_Other belongs to" in capsys.readouterr().err
    foreign = tmp_path / "elsewhere" / "Dataset008_manifest"
    foreign.mkdir(parents=True)
    (foreign / "precious").write_text("")
    assert convert(manifest, foreign.parent, "--overwrite") == 2
    assert "was not written by this command" in capsys.readouterr().err
    assert (foreign / "precious").exists()


def test_a_log_that_was_cut_down_is_a_sentence(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert convert(manifest, tmp_path) == 0
    log = tmp_path / "Dataset008_manifest" / "conversion_log.json"
    settings = json.loads(log.read_text())["settings"]
    log.write_text(json.dumps({"settings": settings}))
    assert convert(manifest, tmp_path) == 2
    assert "has no 'cases', so it is no log of adamss_convert_dataset, or was cut down" in (
        capsys.readouterr().err
    )
    log.write_text(json.dumps({"settings": settings | {"flavour": "new"}}))
    assert convert(manifest, tmp_path) == 2
    assert "has other settings than this version" in capsys.readouterr().err
    assert convert(manifest, tmp_path, "--overwrite") == 0


def test_two_processes_write_the_same_images(manifest: Path, tmp_path: Path) -> None:
    for processes in ("1", "2"):
        assert convert(manifest, tmp_path / processes, "-np", processes) == 0
    one, two = (images(tmp_path / n / "Dataset008_manifest") for n in ("1", "2"))
    assert one == two


def test_the_log_says_where_everything_came_from(manifest: Path, tmp_path: Path) -> None:
    convert(manifest, tmp_path)
    log = json.loads((tmp_path / "Dataset008_manifest" / "conversion_log.json").read_text())
    entry = log["cases"]["patient_0"]
    assert entry["source_grids"]["ct"]["spacing_xyz_mm"] == pytest.approx([10 / 3] * 3, abs=1e-5)
    assert entry["source_grids"]["pet"]["direction"][0] == 1
    assert entry["grid"]["spacing_xyz_mm"] == [5, 5, 5]
    assert entry["seconds"] >= 0
    assert entry["warnings"] == []
    assert log["settings"]["grid"] == "iso"


def test_activity_is_named_and_becomes_suv_by_a_table(
    manifest: Path, native: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    activity = tmp_path / "activity.nii.gz"
    sitk.WriteImage(sitk.ReadImage(str(native / "phantom001__PT.nii.gz")) * 5000, str(activity))
    manifest.write_text(manifest.read_text().replace(str(native / "phantom001__PT.nii.gz"), str(activity)))
    assert convert(manifest, tmp_path / "suspect") == 0
    error = capsys.readouterr().err
    assert "WARNING: patient_1: the PET may be in Bq/ml, not SUV" in error
    assert error.count("Bq/ml") == 1
    doses = tmp_path / "doses.csv"  # 70,000 g / 350e6 Bq = 1 / 5000
    doses.write_text(
        "case_id,weight_kg,injected_dose_mbq,minutes_to_scan\npatient_0,70,350,0\npatient_1,70,350,0\n"
    )
    assert convert(manifest, tmp_path / "suv", "--pet_table", str(doses)) == 0
    assert "WARNING" not in capsys.readouterr().err  # patient_0, whose PET is in SUV, stays as it is
    pet = sitk.ReadImage(str(tmp_path / "suv" / "Dataset008_manifest" / "imagesTr" / "patient_1_0001.nii.gz"))
    raw = sitk.ReadImage(
        str(tmp_path / "suspect" / "Dataset008_manifest" / "imagesTr" / "patient_1_0001.nii.gz")
    )
    assert sitk.GetArrayFromImage(pet) == pytest.approx(sitk.GetArrayFromImage(raw) / 5000, rel=1e-5)


@pytest.mark.parametrize(("ending", "padding"), [(".mha", np.nan), (".nii.gz", np.nan), (".nii.gz", -3024.0)])
def test_what_the_scanner_did_not_see_is_air_and_does_not_spread(
    manifest: Path,
    native: Path,
    tmp_path: Path,
    *,
    ending: str,
    padding: float,
    capsys: pytest.CaptureFixture[str],
) -> None:
    image = sitk.ReadImage(str(native / "phantom001__CT.nii.gz"), sitk.sitkFloat32)
    array = sitk.GetArrayFromImage(image)
    array[:4] = padding
    broken = sitk.GetImageFromArray(array)
    broken.CopyInformation(image)
    sitk.WriteImage(broken, str(tmp_path / f"padded{ending}"))
    manifest.write_text(
        manifest.read_text().replace(str(native / "phantom001__CT.nii.gz"), f"padded{ending}")
    )
    assert convert(manifest, tmp_path, "--grid", "ct", spacing=False) == 0
    assert ("voxels of the CT are not finite and become -1024" in capsys.readouterr().err) == np.isnan(
        padding
    )
    written = sitk.ReadImage(str(tmp_path / "Dataset008_manifest" / "imagesTr" / "patient_1_0000.nii.gz"))
    ct = sitk.GetArrayFromImage(written)
    start = image.TransformPhysicalPointToIndex(written.GetOrigin())
    expected = np.where(array > -1024, array, -1024)[
        tuple(slice(i, i + n) for i, n in zip(start[::-1], ct.shape, strict=True))
    ]
    assert (expected == -1024).any()
    assert np.abs(ct - expected).max() <= 0.5  # whole HU are written


def test_images_are_cut_to_head_and_neck_where_there_is_a_brain(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body = ORGANS[0]
    for name, organs in (("whole", ORGANS), ("headless", [body])):
        pet = whole_body(organs)
        sitk.WriteImage(pet, str(tmp_path / f"{name}_pet.nii.gz"))
        sitk.WriteImage(sitk.Cast(pet > 0, sitk.sitkInt16) * 1040 - 1000, str(tmp_path / f"{name}_ct.nii.gz"))
    rows = [f"{name},{name}_ct.nii.gz,{name}_pet.nii.gz," for name in ("whole", "headless")]
    (tmp_path / "cohort.csv").write_text("\n".join(["case_id,ct,pet,mask", *rows]))
    assert convert(tmp_path / "cohort.csv", tmp_path, "--crop", "head_neck") == 0
    error = capsys.readouterr().err
    assert "WARNING: headless: no brain was found in the PET, so the images are not cut" in error
    assert "WARNING: whole" not in error
    cut, uncut = (
        sitk.ReadImage(str(tmp_path / "Dataset008_manifest" / "imagesTs" / f"{name}_0001.nii.gz"))
        for name in ("whole", "headless")
    )
    assert np.array(cut.GetSize()) * 5 == pytest.approx([200, 200, 310], abs=5)
    assert cut.TransformIndexToPhysicalPoint(cut.GetSize())[2] == pytest.approx(BRAIN[2] + 60, abs=15)
    assert np.array(uncut.GetSize()) * 5 == pytest.approx(np.array(pet.GetSize()) * SPACING, abs=5)


def test_a_tumour_that_is_cut_off_is_said(
    manifest: Path, native: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The PET ends in the middle of the tumour, so a part of it lies outside what both scans saw."""
    mask = sitk.ReadImage(str(native / "phantom001.nii.gz"))
    shape = sitk.LabelShapeStatisticsImageFilter()
    shape.Execute(mask > 0)
    pet = sitk.ReadImage(str(native / "phantom001__PT.nii.gz"))
    middle = pet.TransformPhysicalPointToIndex(shape.GetCentroid(1))[2]
    sitk.WriteImage(pet[:, :, middle:], str(tmp_path / "half.nii.gz"))
    manifest.write_text(manifest.read_text().replace(str(native / "phantom001__PT.nii.gz"), "half.nii.gz"))
    assert convert(manifest, tmp_path) == 0
    assert "of GTVp is not in the images" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--grid", "ct", "--spacing", "1"], "--spacing: only with --grid iso"),
        (["--spacing", "1", "2"], "one number or three"),
        (["--field_mm", "0"], "not above 0"),
        (["-d", "1000"], "expected 1 to 999"),
        (["--tables", "x.csv"], "--tables: not with manifest"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["manifest", "cohort.csv", "-d", "1", *options])
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err
