"""Manifests of any cohort: what becomes of them, and all their faults together."""

import json
from pathlib import Path

import pytest

from nnunetv2_adamss.survival.cohort.survival_table import read_survival_table
from tests.datasets.conversion.manifest_cohort import ManifestCohort


def test_a_manifest_becomes_a_data_set(cohort: ManifestCohort) -> None:
    description = '{"time_unit": "months", "group_column": "hospital"}'
    (cohort.manifest.parent / "survival.json").write_text(description)
    assert cohort.convert() == 0
    table = read_survival_table(cohort.folder / "survival.csv")
    assert table.case_ids == ["patient_0", "patient_1", "patient_2"]
    assert table.without_outcome == ["patient_2"]
    assert table.description.time_unit == "months"
    assert table.groups("hospital").tolist() == ["North"] * 3
    test_rows = (cohort.folder / "survival_test.csv").read_text().splitlines()
    assert test_rows[1] == "patient_3,103,1,II,North"
    assert sorted(path.name for path in (cohort.folder / "imagesTs").iterdir()) == [
        "patient_3_0000.nii.gz", "patient_3_0001.nii.gz"
    ]  # fmt: skip
    labels = json.loads((cohort.folder / "dataset.json").read_text())["labels"]
    assert labels == {"background": 0, "GTVp": 1, "GTVn": 2}


def test_a_cohort_without_outcomes_serves_stage_one(cohort: ManifestCohort, tmp_path: Path) -> None:
    assert cohort.into(tmp_path / "with").convert() == 0
    assert "Next: adamss_verify_dataset -d 8" in cohort.capsys.readouterr().out
    rows = cohort.manifest.read_text().splitlines()
    cohort.manifest.write_text("\n".join(",".join(row.split(",")[:4]) for row in rows))
    assert cohort.convert() == 0
    assert not (cohort.folder / "survival.csv").exists()
    assert (
        "No event to learn survival from. Next, for Stage I: nnUNetv2_plan_and_preprocess -d 8 --no_pp and "
        "adamss_set_normalization -d 8\n"
    ) in cohort.capsys.readouterr().out


@pytest.mark.parametrize("name", ["patient/1", "..", ".h", "a b", "x.nii", "x.NII.gz", "x.mha", "x."])
def test_a_case_id_that_no_file_can_have_is_refused(cohort: ManifestCohort, name: str) -> None:
    cohort.edit("patient_1", name)
    assert cohort.convert() == 2
    assert f"no file can have such a case_id: '{name}'" in cohort.error()
    assert not cohort.folder.exists()


def test_every_fault_of_a_manifest_is_said(cohort: ManifestCohort) -> None:
    text = cohort.manifest.read_text()
    cohort.manifest.write_text(text.replace("patient_1", "patient/1").replace("patient_2", "Patient_0"))
    assert cohort.convert() == 2
    error = cohort.error()
    assert "no file can have such a case_id: 'patient/1'" in error
    assert "case_id occurs more than once: Patient_0" in error
    cohort.manifest.write_text(text.replace("hospital", "mask"))
    assert cohort.convert() == 2
    assert "columns occur more than once: 'mask'" in cohort.error()
    cohort.manifest.write_text(text.replace("MASK", "label"))
    assert cohort.convert() == 2
    assert "there is no column mask; expected case_id, ct, pet, mask, found case_id, ct, pet, label" in (
        cohort.error()
    )


def test_an_impossible_outcome_names_manifest_and_patient_before_images_are_read(
    cohort: ManifestCohort,
) -> None:
    cohort.edit(",101,1,", ",-5,1,")
    cohort.edit(",100,0,", ",0,0,")
    assert cohort.convert() == 2
    assert cohort.error() == (
        f"adamss_convert_dataset: {cohort.manifest}: column 'time' must be a finite number above 0: "
        "patient_0 '0', patient_1 '-5'.\n"
    )
    assert not cohort.folder.exists()


@pytest.mark.parametrize("events", [("yes", "no"), ("dead", "alive"), ("2", "0")])
def test_events_in_other_words_stop_before_images_are_read(
    cohort: ManifestCohort, events: tuple[str, str]
) -> None:
    for number in (0, 1, 3):
        cohort.edit(f",{100 + number},{number % 2},", f",{100 + number},{events[1 - number % 2]},")
    assert cohort.convert() == 2
    assert "column 'event' must be 0 (censored) or 1 (observed)" in cohort.error()
    assert not cohort.folder.exists()


def test_not_available_is_not_the_name_of_a_file(cohort: ManifestCohort, native: Path) -> None:
    cohort.edit(str(native / "phantom002.nii.gz"), "NA")
    assert cohort.convert() == 0
    assert (cohort.folder / "imagesTs" / "patient_2_0000.nii.gz").is_file()


def test_codes_and_decimal_commas_of_a_manifest_are_written_plainly(cohort: ManifestCohort) -> None:
    # Of the three commas the one that may be thousands is a test patient's, alone in its table.
    for number, age in enumerate(('"63,5"', ".", '"60,25"', '"1,234"')):
        rows = cohort.manifest.read_text().splitlines()
        rows[number + 1] += f",{age}"
        cohort.manifest.write_text("\n".join(rows) + "\n")
    cohort.edit("hospital", "hospital,age")
    cohort.edit(",101,1,II", ',"101,5",1,=II')
    assert cohort.convert() == 0
    training = (cohort.folder / "survival.csv").read_text().splitlines()
    assert [row.split(",")[-1] for row in training] == ["age", "63.5", "", "60.25"]
    assert training[2].startswith("patient_1,101.5,1,'=II")
    assert read_survival_table(cohort.folder / "survival.csv").clinical.loc["patient_1", "stage"] == "=II"
    assert (cohort.folder / "survival_test.csv").read_text().splitlines()[1].endswith(",1.234")


def test_text_among_a_manifests_numbers_names_the_patient(cohort: ManifestCohort) -> None:
    (cohort.manifest.parent / "survival.json").write_text('{"columns": {"stage": "number"}}')
    assert cohort.convert() == 2
    assert "column 'stage' is described as a number: patient_0 'II', patient_1 'II'" in cohort.error()
