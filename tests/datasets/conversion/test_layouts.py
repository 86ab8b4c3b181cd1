"""Every public layout: which patients, which outcomes, which clinical values, and what is said of the rest."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
from nnunetv2.experiment_planning.verify_dataset_integrity import verify_dataset_integrity

from nnunetv2_adamss.cli.convert_dataset import main
from nnunetv2_adamss.survival.cohort.table import read_survival_table
from tests.datasets.conversion import layouts

SURVIVAL = {
    "hecktor2021": """\
case_id,time,event,age,gender,t_stage,n_stage,m_stage,tnm_group,tnm_edition,hpv_status,performance_status,tobacco,alcohol,chemotherapy,centre
CHGJ007,369,1,59,1,T4a,N2c,M0,IVA,7,,1,1,,1,CHGJ
CHUM010,1226,0,72,0,,N0,M0,I,8,1,,,,0,CHUM
CHUS003,2021,0,61,1,T2,N2b,,IVA,7,0,0,1,1,1,CHUS
""",
    "hecktor2022": """\
case_id,time,event,age,gender,weight,tobacco,alcohol,performance_status,hpv_status,surgery,chemotherapy,centre
CHUM-001,1704,0,56,M,78.5,,,,1,0,1,CHUM
CHUV-002,395,1,67,F,,1,0,2,,0,1,CHUV
MDA-003,,,48,M,90,,,1,0,,0,MDA
""",
    "hecktor2025": """\
case_id,time,event,age,gender,tobacco,alcohol,performance_status,treatment,m_stage,hpv_status,centre
CHUM-001,421,1,56,1,0,,1,1,M0,1,CHUM
CHUP-002,,,64,0,,1,,0,M0,,CHUP
""",
    "hecktor2026": """\
case_id,time,event,age,gender,tobacco,alcohol,performance_status,treatment,t_stage,n_stage,m_stage,hpv_status,centre
CHUM-001,421,1,56,1,0,,1,1,T1,N2b,M0,1,CHUM
USZ-004,1800,0,64,0,,1,,0,T4,N0,M0,,USZ
""",
    "ibsi_sarcoma": """\
case_id,time,event,age,sex,histology,grade
STS_001,266,1,59,Male,Liposarcoma,High
STS_002,501,0,61,Female,MFH,
""",
}
WITHOUT_MASK = {"hecktor2022": ["USZ-001"], "hecktor2025": ["MDA-003"]}
COARSE = ["--grid", "iso", "--spacing", "5", "--field_mm", "none", "-np", "1"]


def convert(name: str, source: Path, raw: Path, *options: str) -> int:
    return main([name, str(source), "-d", "7", "--name", "Test", "-o", str(raw), *options])


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(params=sorted(layouts.LAYOUTS))
def layout(request: pytest.FixtureRequest, native: Path, tmp_path: Path) -> tuple[str, Path]:
    source = tmp_path / "source"
    layouts.LAYOUTS[request.param](native, source)
    return request.param, source


def test_a_layout_becomes_a_data_set_with_its_outcomes(
    layout: tuple[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, source = layout
    assert convert(name, source, tmp_path, *COARSE) == 0, capsys.readouterr().err
    folder = tmp_path / "Dataset007_Test"
    assert (folder / "survival.csv").read_text() == SURVIVAL[name]
    table = read_survival_table(folder / "survival.csv")
    test_cases = WITHOUT_MASK.get(name, [])
    expected = {"dataset.json", "survival.csv", "survival.json", "conversion_log.json"}
    expected |= {"survival_test.csv"} if test_cases else set()
    for part, cases in (("Tr", table.case_ids), ("Ts", test_cases)):
        expected |= {f"images{part}/{case}_000{channel}.nii.gz" for case in cases for channel in (0, 1)}
    expected |= {f"labelsTr/{case}.nii.gz" for case in table.case_ids}
    assert files(folder) == expected
    description = json.loads((folder / "dataset.json").read_text())
    assert description["numTraining"] == len(table.case_ids)
    assert description["channel_names"] == {"0": "CT", "1": "PET"}


def test_the_three_images_of_a_patient_share_one_grid_and_the_mask_is_on_the_tumour(
    layout: tuple[str, Path], tmp_path: Path
) -> None:
    name, source = layout
    convert(name, source, tmp_path, *COARSE)
    folder = tmp_path / "Dataset007_Test"
    for label_file in (folder / "labelsTr").iterdir():
        case = label_file.name.removesuffix(".nii.gz")
        label = sitk.ReadImage(str(label_file))
        ct, pet = (sitk.ReadImage(str(folder / f"imagesTr/{case}_000{channel}.nii.gz")) for channel in (0, 1))
        for image in (ct, pet):
            assert image.GetSize() == label.GetSize()
            assert image.GetSpacing() == pytest.approx((5, 5, 5))
            assert image.GetOrigin() == pytest.approx(label.GetOrigin(), abs=1e-3)
            assert image.GetDirection() == pytest.approx(label.GetDirection())
        assert [image.GetPixelIDTypeAsString() for image in (ct, pet, label)] == [
            "16-bit signed integer", "32-bit float", "8-bit unsigned integer"
        ]  # fmt: skip
        uptake, tumour = sitk.GetArrayFromImage(pet), sitk.GetArrayFromImage(label) > 0
        body = sitk.GetArrayFromImage(ct) > -500
        assert uptake[tumour].mean() > 2 * np.median(uptake[body & ~tumour])


def test_orders_of_stages_are_described_and_the_centre_is_the_group(native: Path, tmp_path: Path) -> None:
    layouts.hecktor2026(native, tmp_path / "source")
    convert("hecktor2026", tmp_path / "source", tmp_path, *COARSE)
    description = json.loads((tmp_path / "Dataset007_Test" / "survival.json").read_text())
    assert description["endpoint"] == "relapse-free survival"
    assert description["time_unit"] == "days"
    assert description["group_column"] == "centre"
    assert description["columns"]["t_stage"] == {"type": "ordinal", "categories": ["T1", "T4"]}
    assert description["columns"]["n_stage"] == {"type": "ordinal", "categories": ["N0", "N2b"]}


def test_counts_are_printed(native: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layouts.hecktor2022(native, tmp_path / "source")
    convert("hecktor2022", tmp_path / "source", tmp_path, *COARSE)
    out = capsys.readouterr().out
    counts = {line[:28].strip(): int(line[28:]) for line in out.splitlines()[:6]}
    assert counts == {
        "patients": 4, "with a mask": 3, "of them with an outcome": 2, "of them with an event": 1,
        "without an outcome": 1, "without a mask": 1,
    }  # fmt: skip


def test_a_renamed_column_is_an_error_that_says_what_was_expected_and_found(
    native: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "source"
    layouts.hecktor2022(native, source)
    endpoint = source / "hecktor2022_endpoint_training.csv"
    endpoint.write_text(endpoint.read_text().replace("RFS", "Survival"))
    assert convert("hecktor2022", source, tmp_path, *COARSE) == 2
    error = capsys.readouterr().err
    assert "no column for time" in error
    assert "Expected: PatientID, Relapse, RFS, Age, Gender" in error
    assert "hecktor2022_endpoint_training.csv: PatientID, Relapse, Survival" in error
    assert not (tmp_path / "Dataset007_Test").exists()


def test_titles_in_other_letters_and_a_missing_clinical_column_are_no_error(
    native: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "source"
    layouts.hecktor2022(native, source)
    clinical = source / "hecktor2022_clinical_info_training.csv"
    header, rest = clinical.read_text().split("\n", 1)
    clinical.write_text(
        header.upper().replace("PERFORMANCE STATUS", "Performance_Status").replace("AGE", "Years")
        + "\n"
        + rest
    )
    assert convert("hecktor2022", source, tmp_path, *COARSE) == 0
    assert "WARNING: no table has the column Age" in capsys.readouterr().err
    table = read_survival_table(tmp_path / "Dataset007_Test" / "survival.csv")
    assert table.clinical["performance_status"].tolist()[1:] == ["2", "1"]
    assert table.clinical["age"].isna().all()


def test_what_makes_no_sense_in_a_table_is_named_and_left_out(
    native: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "source"
    layouts.hecktor2026(native, source)
    table = source / "HECKTOR_2026_Training_Task.csv"
    table.write_text(table.read_text().replace(",0,1800", ",0,0").replace("T4", "T9"))
    assert convert("hecktor2026", source, tmp_path, *COARSE) == 0
    error = capsys.readouterr().err
    assert "no outcome, since time and event make no sense: USZ-004 (0, 0)" in error
    assert "t_stage is taken as a category, since its order is not known for T9" in error
    written = read_survival_table(tmp_path / "Dataset007_Test" / "survival.csv")
    assert written.without_outcome == ["USZ-004"]


def test_tables_that_differ_about_a_patient_are_named(
    native: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "source"
    layouts.hecktor2025(native, source)
    task3 = source / "Task 3" / "HECKTOR_2025_Training_Task_3.csv"
    task3.write_text(task3.read_text().replace("MDA-003,3,71", "MDA-003,3,17"))
    convert("hecktor2025", source, tmp_path, *COARSE)
    assert "tables differ, the first one counts: mda003 (age)" in capsys.readouterr().err


def test_a_mask_with_a_strange_value_and_a_broken_file_cost_only_their_patients(
    native: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "source"
    layouts.hecktor2022(native, source)
    (source / "imagesTr" / "CHUM-001__PT.nii.gz").write_bytes(b"not an image")
    cut_off = source / "imagesTr" / "CHUV-002__CT.nii.gz"
    cut_off.write_bytes(cut_off.read_bytes()[: cut_off.stat().st_size // 2])
    mask = sitk.ReadImage(str(source / "labelsTr" / "MDA-003.nii.gz"))
    sitk.WriteImage(mask * 3, str(source / "labelsTr" / "MDA-003.nii.gz"))
    assert convert("hecktor2022", source, tmp_path, *COARSE) == 2
    error = capsys.readouterr().err
    assert "3 patient(s) are left out" in error
    assert "CHUV-002__CT.nii.gz is cut off or damaged" in error
    assert "CHUM-001__PT.nii.gz cannot be read as an image" in error
    assert "MDA-003: its mask has the values 3, 6; expected 0 = background, 1 = GTVp, 2 = GTVn" in error
    folder = tmp_path / "Dataset007_Test"
    assert json.loads((folder / "dataset.json").read_text())["numTraining"] == 0
    assert not (folder / "labelsTr").exists()


def test_two_masks_that_differ_are_never_chosen_between(
    native: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "source"
    layouts.hecktor2022(native, source)
    layouts.copy_patient(native, 3, *[source / "predicted" / "CHUM-001.nii.gz"] * 3)
    assert convert("hecktor2022", source, tmp_path, *COARSE) == 2
    assert "CHUM-001: there are masks that differ, and none lies beside the scans" in capsys.readouterr().err


def test_masks_of_one_size_are_compared_by_their_content(
    native: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "source"
    layouts.hecktor2022(native, source)
    published = source / "labelsTr" / "CHUM_001.nii.gz"
    mask = sitk.ReadImage(str(published))
    published.unlink()
    for folder in ("one", "two"):
        (source / folder).mkdir()
        sitk.WriteImage(mask, str(source / folder / "CHUM-001.nii"))
    assert convert("hecktor2022", source, tmp_path / "equal", *COARSE) == 0
    sitk.WriteImage(mask * 0, str(source / "one" / "CHUM-001.nii"))
    assert convert("hecktor2022", source, tmp_path / "other", *COARSE) == 2
    assert "CHUM-001: there are masks that differ" in capsys.readouterr().err


def test_a_raw_folder_below_the_source_is_not_taken_for_the_cohort(native: Path, tmp_path: Path) -> None:
    layouts.hecktor2022(native, tmp_path)
    raw = tmp_path / "nnUNet_raw"
    assert convert("hecktor2022", tmp_path, raw, *COARSE) == 0
    written = files(raw)
    assert convert("hecktor2022", tmp_path, raw, *COARSE) == 0
    assert files(raw) == written


def test_folders_that_are_links_are_followed_once(native: Path, tmp_path: Path) -> None:
    layouts.hecktor2026(native, tmp_path / "disk")
    source = tmp_path / "source"
    source.mkdir()
    for path in (tmp_path / "disk").iterdir():
        (source / path.name).symlink_to(path)
    (tmp_path / "disk" / "CHUM-001" / "back").symlink_to(tmp_path / "disk")
    assert convert("hecktor2026", source, tmp_path, *COARSE) == 0
    assert len(list((tmp_path / "Dataset007_Test" / "labelsTr").iterdir())) == 2


def test_a_damaged_or_empty_sheet_is_a_sentence(
    native: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "source"
    layouts.ibsi_sarcoma(native, source)
    sheet = source / "INFOclinical_STS.xlsx"
    whole = sheet.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"no sheet"):
        sheet.write_bytes(damaged)
        assert convert("ibsi_sarcoma", source, tmp_path, *COARSE) == 2
        assert "INFOclinical_STS.xlsx cannot be read as an Excel sheet" in capsys.readouterr().err
    pd.DataFrame().to_excel(sheet)
    assert convert("ibsi_sarcoma", source, tmp_path, *COARSE) == 2
    assert "INFOclinical_STS.xlsx has no rows" in capsys.readouterr().err


def test_a_relapse_without_its_date_is_named(
    native: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "source"
    layouts.ibsi_sarcoma(native, source)
    sheet = source / "INFOclinical_STS.xlsx"
    table = pd.read_excel(sheet, dtype=str)
    table.iloc[0, table.columns.str.contains("to outcome")] = "--"
    table.to_excel(sheet, index=False)
    assert convert("ibsi_sarcoma", source, tmp_path, *COARSE) == 0
    assert "no outcome, since time and event make no sense: STS_001 (, 1)" in capsys.readouterr().err


def test_times_that_can_be_no_days_are_asked_about(
    native: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "source"
    layouts.hecktor2022(native, source)
    assert convert("hecktor2022", source, tmp_path / "days", *COARSE) == 0
    assert "is it in days" not in capsys.readouterr().err
    table = source / "hecktor2022_endpoint_training.csv"
    table.write_text(table.read_text().replace("1704", "56.8").replace("395", "13.2"))
    assert convert("hecktor2022", source, tmp_path / "months", *COARSE) == 0
    assert "the longest time is 56.8: is it in days" in capsys.readouterr().err


def test_a_patient_with_two_rows_or_two_spellings_is_named(
    native: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "source"
    layouts.hecktor2026(native, source)
    table = source / "HECKTOR_2026_Training_Task.csv"
    once = table.read_text()
    table.write_text(once + once.splitlines()[1] + "\n")
    assert convert("hecktor2026", source, tmp_path, *COARSE) == 2
    assert "has more than one row of a patient: chum001" in capsys.readouterr().err
    table.write_text(once)
    layouts.copy_patient(native, 2, *[source / f"CHUM001__{kind}.nii.gz" for kind in ("CT", "PT")])
    assert convert("hecktor2026", source, tmp_path, *COARSE) == 2
    assert "the same but for punctuation: CHUM-001 and CHUM001" in capsys.readouterr().err


def test_nnunet_finds_nothing_to_complain_of(native: Path, tmp_path: Path) -> None:
    layouts.hecktor2022(native, tmp_path / "source")
    convert("hecktor2022", tmp_path / "source", tmp_path, *COARSE)
    verify_dataset_integrity(str(tmp_path / "Dataset007_Test"), num_processes=1)


def test_a_scan_without_the_other_is_named(
    native: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "source"
    layouts.hecktor2021(native, source)
    (source / "hecktor_nii" / "CHUS003_ct.nii.gz").unlink()
    assert convert("hecktor2021", source, tmp_path, *COARSE) == 2
    assert "CHUS003: there is no CT beside the other scan" in capsys.readouterr().err


def test_the_sarcoma_mask_is_that_of_the_scan_whose_grid_is_kept(native: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    layouts.ibsi_sarcoma(native, source)
    for grid, name in (("pet", "PET"), ("ct", "CT")):
        assert (
            convert("ibsi_sarcoma", source, tmp_path / grid, "--grid", grid, "--field_mm", "none", "-np", "1")
            == 0
        )
        published = sitk.ReadImage(str(source / "nifti" / "STS_001" / f"{name}_mask.nii.gz"))
        label = sitk.ReadImage(str(tmp_path / grid / "Dataset007_Test" / "labelsTr" / "STS_001.nii.gz"))
        assert label.GetSpacing() == pytest.approx(published.GetSpacing())
        assert sitk.GetArrayFromImage(label).sum() == sitk.GetArrayFromImage(published).sum()


def test_a_source_that_is_something_else_is_an_error(
    native: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layouts.hecktor2021(native, tmp_path / "source")
    assert convert("ibsi_sarcoma", tmp_path / "source", tmp_path) == 2
    assert "no file such as PATIENT/ct_image.nii.gz or PATIENT/pet_image.nii.gz" in capsys.readouterr().err
    assert convert("hecktor2021", tmp_path / "nowhere", tmp_path) == 2
    assert "nowhere is no folder" in capsys.readouterr().err


def test_no_patient_of_the_table_with_scans_is_an_error(
    native: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layouts.hecktor2026(native, tmp_path / "source")
    layouts.hecktor2025(native, tmp_path / "other")
    table = tmp_path / "other.csv"
    text = (tmp_path / "source" / "HECKTOR_2026_Training_Task.csv").read_text()
    table.write_text(text.replace("CHUM", "ABC").replace("USZ", "DEF"))
    assert convert("hecktor2026", tmp_path / "source", tmp_path, "--tables", str(table)) == 2
    assert "is this one cohort?" in capsys.readouterr().err


def test_the_physical_place_of_the_tumour_is_that_of_the_source(native: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    layouts.hecktor2026(native, source)
    convert("hecktor2026", source, tmp_path, *COARSE)
    centroids = []
    for file in (
        source / "CHUM-001" / "CHUM-001.nii.gz", tmp_path / "Dataset007_Test" / "labelsTr" / "CHUM-001.nii.gz"
    ):  # fmt: skip
        shape = sitk.LabelShapeStatisticsImageFilter()
        shape.Execute(sitk.ReadImage(str(file)) > 0)
        centroids.append(np.array(shape.GetCentroid(1)))
    assert np.linalg.norm(centroids[0] - centroids[1]) < 1
