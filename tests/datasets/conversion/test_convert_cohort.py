"""Many patients: what is kept, what is done again, and what the log says."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import SimpleITK as sitk

from tests.datasets.conversion.manifest_cohort import ManifestCohort


def test_a_second_run_converts_only_what_was_missing_or_has_changed(
    cohort: ManifestCohort, native: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "mine.nii.gz"
    copy.write_bytes(b"not there yet")
    cohort.edit(str(native / "phantom001__PT.nii.gz"), str(copy))
    assert cohort.convert() == 1
    before = cohort.times_written()
    assert "patient_1_0001.nii.gz" not in before
    copy.write_bytes((native / "phantom001__PT.nii.gz").read_bytes())
    cohort.capsys.readouterr()
    assert cohort.convert() == 0
    said = cohort.capsys.readouterr().out
    assert "1 patient converted, " in said
    assert "3 patients there already." in said
    after = cohort.times_written()
    assert before.items() <= after.items()
    assert set(after) - set(before) == {"patient_1_0000.nii.gz", "patient_1_0001.nii.gz"}
    copy.write_bytes((native / "phantom002__PT.nii.gz").read_bytes())
    assert cohort.convert() == 0
    again = cohort.times_written()
    assert {name for name in again if again[name] != after[name]} == set(after) - set(before)
    cohort.capsys.readouterr()
    assert cohort.convert() == 0
    assert "seconds" not in cohort.capsys.readouterr().out


# The command, killed for real as it begins with the third patient.
_KILLED = """
import os, signal, sys
from nnunetv2_adamss.cli.convert_dataset import main
from nnunetv2_adamss.datasets.conversion import convert_cohort as run

convert_case = run.convert_case

def convert_or_die(patient, *arguments):
    if patient.case_id == "patient_2":
        os.kill(os.getpid(), signal.SIGKILL)
    return convert_case(patient, *arguments)

run.convert_case = convert_or_die
main(sys.argv[1:])
"""


def test_a_run_that_was_killed_continues_and_ends_with_the_same_files(
    cohort: ManifestCohort, tmp_path: Path
) -> None:
    killed = cohort.into(tmp_path / "killed")
    process = subprocess.run([sys.executable, "-c", _KILLED, *killed.arguments()], check=False)
    assert process.returncode == -signal.SIGKILL
    done = list((killed.folder / ".conversion" / "cases").glob("*.json"))
    assert {file.stem for file in done} == {"patient_0", "patient_1"}
    before = killed.times_written()
    assert killed.convert() == 0
    kept = [f"{file.stem}_{channel}.nii.gz" for file in done for channel in ("0000", "0001")]
    after = killed.times_written()
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert not (killed.folder / ".conversion").exists()
    cohort.convert()
    assert killed.images() == cohort.images()


def test_a_patient_who_could_not_be_written_leaves_no_images(cohort: ManifestCohort) -> None:
    """A folder stands where the mask is to be, so CT and PET are there when writing fails."""
    assert cohort.convert() == 0
    for file in cohort.folder.rglob("patient_1*"):
        file.unlink()
    (cohort.folder / "labelsTr" / "patient_1.nii.gz").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "unlink", _unlink_of_files)
        assert cohort.convert() == 1
    assert not list((cohort.folder / "imagesTr").glob("patient_1*"))


def _unlink_of_files(path: Path, missing_ok: bool = False) -> None:
    if not path.is_dir() and (path.exists() or not missing_ok):
        os.unlink(path)


def test_images_stay_when_their_source_is_broken_later(
    cohort: ManifestCohort, native: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "mine.nii.gz"
    copy.write_bytes((native / "phantom001__PT.nii.gz").read_bytes())
    cohort.edit(str(native / "phantom001__PT.nii.gz"), str(copy))
    assert cohort.convert() == 0
    before = cohort.images()
    table = (cohort.folder / "survival.csv").read_text()
    copy.write_bytes(b"cut")
    assert cohort.convert() == 1
    error = cohort.error()
    assert "patient_1: " in error
    assert "cannot be read as an image; the images of an earlier run are kept" in error
    copy.unlink()
    assert cohort.convert() == 1
    assert "mine.nii.gz; the images of an earlier run are kept" in cohort.error()
    assert cohort.images() == before
    assert (cohort.folder / "survival.csv").read_text() == table
    assert "patient_1" in json.loads((cohort.folder / "conversion_log.json").read_text())["cases"]


def test_voxels_beside_their_header_are_noticed_when_they_change(
    cohort: ManifestCohort, native: Path, tmp_path: Path
) -> None:
    pet = sitk.ReadImage(str(native / "phantom001__PT.nii.gz"))
    sitk.WriteImage(pet, str(tmp_path / "pet.mhd"))
    cohort.edit(str(native / "phantom001__PT.nii.gz"), "pet.mhd")
    assert cohort.convert() == 0
    before = cohort.images()
    sitk.WriteImage(pet * 2, str(tmp_path / "pet.mhd"))
    assert cohort.convert() == 0
    after = cohort.images()
    assert [name for name in after if after[name] != before[name]] == ["patient_1_0001.nii.gz"]


def test_a_patient_who_gets_a_mask_moves_to_the_training_images(cohort: ManifestCohort, native: Path) -> None:
    assert cohort.convert() == 0
    pet = str(native / "phantom003__PT.nii.gz")
    cohort.edit(f"{pet},,", f"{pet},{native / 'phantom003.nii.gz'},")
    assert cohort.convert() == 0
    assert not list((cohort.folder / "imagesTs").iterdir())
    assert (cohort.folder / "labelsTr" / "patient_3.nii.gz").is_file()
    assert not (cohort.folder / "survival_test.csv").exists()


def test_two_processes_write_the_same_images(cohort: ManifestCohort, tmp_path: Path) -> None:
    one, two = (cohort.into(tmp_path / processes) for processes in ("1", "2"))
    assert one.convert() == 0
    assert two.convert("-np", "2") == 0
    assert one.images() == two.images()


def test_the_log_says_where_everything_came_from(cohort: ManifestCohort) -> None:
    cohort.convert()
    log = json.loads((cohort.folder / "conversion_log.json").read_text())
    entry = log["cases"]["patient_0"]
    assert entry["source_grids"]["ct"]["spacing_xyz_mm"] == pytest.approx([10 / 3] * 3, abs=1e-5)
    assert entry["source_grids"]["pet"]["direction"][0] == 1
    assert entry["grid"]["spacing_xyz_mm"] == [5, 5, 5]
    assert entry["seconds"] >= 0
    assert entry["warnings"] == []
    assert log["settings"]["grid"] == "iso"
    assert log["source"] == {"format": "manifest", "path": str(cohort.manifest), "tables": []}
