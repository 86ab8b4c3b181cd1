"""What an earlier run has written is not lost: other sources, other settings, other runs, patients who are gone."""

import json
import os
import threading
import time
from pathlib import Path

import pytest
import SimpleITK as sitk

from nnunetv2_adamss.datasets.conversion.sole_run import sole_run, still_ours
from tests.datasets.conversion.manifest_cohort import ManifestCohort


def test_another_source_does_not_replace_a_finished_data_set(cohort: ManifestCohort, tmp_path: Path) -> None:
    assert cohort.convert() == 0
    before = cohort.images()
    other = tmp_path / "other.csv"
    other.write_text(cohort.manifest.read_text().replace("patient_", "someone_"))
    assert cohort.convert(manifest=other) == 2
    assert f"was converted from {cohort.manifest} (manifest), not from {other} (manifest)" in cohort.error()
    assert cohort.images() == before
    assert not (cohort.folder / ".conversion").exists()
    assert cohort.convert("--overwrite", manifest=other) == 0
    assert {name.split("_")[0] for name in cohort.images()} == {"someone"}


def test_a_log_without_its_source_can_be_continued(cohort: ManifestCohort) -> None:
    assert cohort.convert() == 0
    log = cohort.folder / "conversion_log.json"
    content = json.loads(log.read_text())
    del content["source"]
    log.write_text(json.dumps(content))
    assert cohort.convert() == 0
    assert "4 patients there already." in cohort.capsys.readouterr().out


def test_a_log_of_0_1_without_the_kind_of_suv_is_gone_on_with(cohort: ManifestCohort) -> None:
    assert cohort.convert() == 0
    log = cohort.folder / "conversion_log.json"
    content = json.loads(log.read_text())
    assert content["settings"].pop("suv") == "bw"
    log.write_text(json.dumps(content))
    assert cohort.convert() == 0
    assert "4 patients there already." in cohort.capsys.readouterr().out


def test_patients_who_are_gone_from_the_source_are_named_and_kept(cohort: ManifestCohort) -> None:
    assert cohort.convert() == 0
    before = cohort.images()
    cohort.manifest.write_text("\n".join(cohort.manifest.read_text().splitlines()[:3]) + "\n")
    assert cohort.convert() == 2
    error = cohort.error()
    assert "holds 2 patients that the source has no longer: patient_2, patient_3. Put them back" in error
    assert cohort.images() == before
    assert cohort.convert("--overwrite") == 0
    assert sorted(cohort.images()) == [
        f"patient_{number}{channel}.nii.gz" for number in (0, 1) for channel in ("", "_0000", "_0001")
    ]


def test_other_settings_need_overwrite_and_other_folders_are_left_alone(
    cohort: ManifestCohort, tmp_path: Path
) -> None:
    assert cohort.convert() == 0
    assert cohort.convert("--spacing", "6") == 2
    assert "was converted with other settings" in cohort.error()
    assert cohort.convert("--spacing", "6", "--overwrite") == 0
    image = sitk.ReadImage(str(cohort.folder / "labelsTr" / "patient_0.nii.gz"))
    assert image.GetSpacing() == pytest.approx((6, 6, 6))
    assert cohort.convert("--name", "Other") == 2
    assert "The id of Dataset008_Other belongs to" in cohort.error()
    foreign = cohort.into(tmp_path / "elsewhere")
    foreign.folder.mkdir(parents=True)
    (foreign.folder / "precious").write_text("")
    assert foreign.convert("--overwrite") == 2
    assert "was not written by this command" in cohort.error()
    assert [path.name for path in foreign.folder.iterdir()] == ["precious"]


def test_a_log_that_was_cut_down_is_a_sentence(cohort: ManifestCohort) -> None:
    assert cohort.convert() == 0
    log = cohort.folder / "conversion_log.json"
    content = json.loads(log.read_text())
    log.write_text(json.dumps({"settings": content["settings"]}))
    assert cohort.convert() == 2
    assert "has no 'cases', so it is not a complete log of adamss_convert_dataset" in cohort.error()
    log.write_text(json.dumps(content | {"settings": content["settings"] | {"flavour": "new"}}))
    assert cohort.convert() == 2
    assert "has other settings than this version" in cohort.error()
    assert cohort.convert("--overwrite") == 0


def test_a_run_in_which_nothing_could_be_converted_claims_nothing(
    cohort: ManifestCohort, native: Path
) -> None:
    whole = cohort.manifest.read_text()
    cohort.manifest.write_text(whole.replace(str(native), "/nowhere"))
    assert cohort.convert("--spacing", "6") == 2
    assert (
        "No patient can be converted. patient_0: missing file(s): /nowhere/phantom000__CT" in cohort.error()
    )
    assert not cohort.folder.exists()
    cohort.manifest.write_text(whole)
    assert cohort.convert() == 0


def test_settings_of_a_run_that_was_stopped_before_its_first_patient_do_not_count(
    cohort: ManifestCohort,
) -> None:
    begun = cohort.folder / ".conversion" / "settings.json"
    begun.parent.mkdir(parents=True)
    begun.write_text('{"settings": {"grid": "pet", "spacing_xyz_mm": [9, 9, 9]}}')
    assert cohort.convert() == 0


def test_a_second_run_beside_the_first_is_refused(cohort: ManifestCohort) -> None:
    assert cohort.convert() == 0
    before = cohort.images()
    with sole_run(cohort.folder):
        assert cohort.convert("--overwrite") == 2
    assert f"Another run is writing to {cohort.folder}; wait until it is done" in cohort.error()
    assert cohort.images() == before
    assert cohort.convert("--overwrite") == 0


def test_a_run_waits_for_what_is_left_of_a_killed_one(cohort: ManifestCohort) -> None:
    """A process of the killed run is still converting a patient when the next run begins."""
    begun = cohort.folder / ".conversion" / "settings.json"
    with sole_run(cohort.folder) as killed:
        begun.write_text(json.dumps({"run": killed}))
    is_converting, ended = threading.Event(), []

    def convert() -> None:
        with still_ours(cohort.folder, killed):
            is_converting.set()
            time.sleep(0.5)
            ended.append(True)

    process = threading.Thread(target=convert)
    process.start()
    is_converting.wait()
    with sole_run(cohort.folder):
        assert ended
    process.join()


def test_what_is_left_of_a_killed_run_begins_no_other_patient(cohort: ManifestCohort) -> None:
    begun = cohort.folder / ".conversion" / "settings.json"
    with sole_run(cohort.folder) as killed:
        begun.write_text(json.dumps({"run": killed}))
    with sole_run(cohort.folder) as later:
        begun.write_text(json.dumps({"run": later}))
        with (
            pytest.raises(ValueError, match="another run writes here now"),
            still_ours(cohort.folder, killed),
        ):
            pass
        with still_ours(cohort.folder, later):
            pass
    begun.unlink()
    assert cohort.convert() == 0
    with pytest.raises(ValueError, match="another run has finished here"), still_ours(cohort.folder, killed):
        pass
    assert not (cohort.folder / ".conversion").exists()


def test_processes_do_not_write_under_one_name(
    cohort: ManifestCohort, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another process is writing of the same patient is left alone, and takes nothing away."""
    other = cohort.folder / ".conversion" / "patient_0_0000.nii.gz"
    names: set[str] = set()
    write = sitk.WriteImage

    def note(image: sitk.Image, name: str, **options: bool) -> None:
        names.add(Path(name).name)
        write(image, name, **options)

    monkeypatch.setattr(sitk, "WriteImage", note)
    other.parent.mkdir(parents=True)
    other.write_bytes(b"half of an image")
    assert cohort.convert() == 0
    assert names
    assert all(f"_{os.getpid()}_" in name and name.endswith(".nii.gz") for name in names)
