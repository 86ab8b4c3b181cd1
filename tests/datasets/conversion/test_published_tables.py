"""Tables of published cohorts: what is expected of them, and what is said of values that make no sense."""

from collections.abc import Callable

import pandas as pd
import pytest

from nnunetv2_adamss.survival.cohort.survival_table import read_survival_table
from tests.datasets.conversion.published import Published

Publish = Callable[[str], Published]
CLINICAL_2022 = "hecktor2022_clinical_info_training.csv"
ENDPOINT_2022 = "hecktor2022_endpoint_training.csv"
TABLE_2026 = "HECKTOR_2026_Training_Task.csv"


def test_a_renamed_column_is_an_error_that_says_what_was_expected_and_found(publish: Publish) -> None:
    cohort = publish("hecktor2022")
    cohort.edit(ENDPOINT_2022, "RFS", "Survival")
    assert cohort.convert() == 2
    error = cohort.error()
    assert "no column for time" in error
    assert "Expected: PatientID, Relapse, RFS, Age, Gender" in error
    assert "hecktor2022_endpoint_training.csv: PatientID, Relapse, Survival" in error
    assert not cohort.folder.exists()


def test_a_table_that_does_not_name_the_patients_is_an_error(publish: Publish) -> None:
    cohort = publish("hecktor2022")
    cohort.edit(CLINICAL_2022, "PatientID", "Number")
    assert cohort.convert() == 2
    assert f"no column for patient in {CLINICAL_2022}" in cohort.error()


def test_titles_in_other_letters_and_a_missing_clinical_column_are_no_error(publish: Publish) -> None:
    cohort = publish("hecktor2022")
    header = (cohort.source / CLINICAL_2022).read_text().split("\n", 1)[0]
    renamed = header.upper().replace("PERFORMANCE STATUS", "Performance_Status").replace("AGE", "Years")
    cohort.edit(CLINICAL_2022, header, renamed)
    assert cohort.convert() == 0
    assert "WARNING: no table has the column Age" in cohort.error()
    table = read_survival_table(cohort.folder / "survival.csv")
    assert table.clinical["performance_status"].tolist()[1:] == ["2", "1"]
    assert table.clinical["age"].isna().all()


def test_impossible_values_of_a_table_are_named_and_left_out(publish: Publish) -> None:
    cohort = publish("hecktor2026")
    cohort.edit(TABLE_2026, ",0,1800", ",0,0")
    cohort.edit(TABLE_2026, "T4", "T9")
    assert cohort.convert() == 0
    error = cohort.error()
    assert "no outcome, since time and event make no sense: USZ-004 (0, 0)" in error
    assert "t_stage is taken as a category, since its order is not known for T9" in error
    assert read_survival_table(cohort.folder / "survival.csv").without_outcome == ["USZ-004"]


def test_text_among_numbers_costs_the_cell_and_names_the_patient(publish: Publish) -> None:
    cohort = publish("hecktor2022")
    cohort.edit(CLINICAL_2022, "F,67,", "F,about 67,")
    assert cohort.convert() == 0
    assert "WARNING: age is not a number and is treated as unknown: CHUV-002 'about 67'\n" in cohort.error()
    ages = read_survival_table(cohort.folder / "survival.csv").clinical["age"]
    assert ages.isna().to_dict() == {"CHUM-001": False, "CHUV-002": True, "MDA-003": False}


def test_codes_and_decimal_commas_of_published_tables_are_read(publish: Publish) -> None:
    cohort = publish("hecktor2022")
    cohort.edit(CLINICAL_2022, "F,67,", 'F,"67,5",')
    cohort.edit(CLINICAL_2022, "MDA-003,1,0,5,M,48,", "MDA-003,1,0,5,M,#N/A,")
    assert cohort.convert() == 0
    assert "is not a number" not in cohort.error()
    ages = read_survival_table(cohort.folder / "survival.csv").clinical["age"]
    assert ages["CHUV-002"] == 67.5 and ages.isna().sum() == 1


def test_values_that_differ_in_capitals_alone_are_one(publish: Publish) -> None:
    cohort = publish("hecktor2026")
    cohort.edit(TABLE_2026, "T1,N2b", "t1,n2B")
    assert cohort.convert() == 0
    assert "is taken as a category" not in cohort.error()
    clinical = read_survival_table(cohort.folder / "survival.csv").clinical
    assert clinical.loc["CHUM-001", ["t_stage", "n_stage"]].tolist() == ["T1", "N2b"]


def test_the_most_frequent_spelling_of_a_category_is_taken(publish: Publish) -> None:
    cohort = publish("hecktor2022")
    cohort.edit(CLINICAL_2022, "MDA-003,1,0,5,M", "MDA-003,1,0,5,f")
    cohort.edit(CLINICAL_2022, "CHUM-001,1,1,2,M", "CHUM-001,1,1,2,f")
    assert cohort.convert() == 0
    assert set(read_survival_table(cohort.folder / "survival.csv").clinical["sex"]) == {"f"}


def test_tables_that_differ_about_a_patient_are_named_as_they_spell_it(publish: Publish) -> None:
    cohort = publish("hecktor2025")
    cohort.edit("Task 3/HECKTOR_2025_Training_Task_3.csv", "MDA-003,3,71", "MDA-003,3,17")
    cohort.convert()
    assert (
        "tables differ, the first one counts: MDA-003 (age '71' and '17'), in HECKTOR_2025_Training_Task_2.csv and "
        "HECKTOR_2025_Training_Task_3.csv\n"
    ) in cohort.error()


def test_patients_who_are_in_the_tables_or_among_the_scans_alone_are_named(publish: Publish) -> None:
    cohort = publish("hecktor2026")
    cohort.edit(TABLE_2026, "USZ-004", "USZ_005")
    assert cohort.convert() == 0
    error = cohort.error()
    assert "WARNING: 1 patient in the tables without scans: USZ_005\n" in error
    assert "WARNING: 1 patient without a row in the tables: USZ-004\n" in error
    assert read_survival_table(cohort.folder / "survival.csv").without_outcome == ["USZ-004"]


def test_a_damaged_or_empty_sheet_is_a_sentence(publish: Publish) -> None:
    cohort = publish("ibsi_sarcoma")
    sheet = cohort.source / "INFOclinical_STS.xlsx"
    whole = sheet.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"no sheet"):
        sheet.write_bytes(damaged)
        assert cohort.convert() == 2
        assert "INFOclinical_STS.xlsx cannot be read as an Excel sheet" in cohort.error()
    pd.DataFrame().to_excel(sheet)
    assert cohort.convert() == 2
    assert "INFOclinical_STS.xlsx has no rows" in cohort.error()


def test_a_relapse_without_its_date_is_named(publish: Publish) -> None:
    cohort = publish("ibsi_sarcoma")
    sheet = cohort.source / "INFOclinical_STS.xlsx"
    table = pd.read_excel(sheet, dtype=str)
    table.iloc[0, table.columns.str.contains("to outcome")] = "--"
    table.to_excel(sheet, index=False)
    assert cohort.convert() == 0
    assert "no outcome, since time and event make no sense: STS_001 (, 1)" in cohort.error()


@pytest.mark.parametrize("unit", ["days", "months"])
def test_times_that_can_be_no_days_are_asked_about(publish: Publish, unit: str) -> None:
    cohort = publish("hecktor2022")
    if unit == "months":
        cohort.edit(ENDPOINT_2022, "1704", "56.8")
        cohort.edit(ENDPOINT_2022, "395", "13.2")
    assert cohort.convert() == 0
    assert ("the longest time is 56.8: is it in days" in cohort.error()) == (unit == "months")


def test_a_patient_with_two_rows_is_named(publish: Publish) -> None:
    cohort = publish("hecktor2026")
    row = (cohort.source / TABLE_2026).read_text().splitlines()[1]
    cohort.edit(TABLE_2026, row, f"{row}\n{row.replace('CHUM-001', 'CHUM_001')}")
    assert cohort.convert() == 2
    assert "has more than one row of a patient: CHUM_001" in cohort.error()


def test_no_patient_of_the_table_with_scans_is_an_error(publish: Publish) -> None:
    cohort = publish("hecktor2026")
    cohort.edit(TABLE_2026, "CHUM", "ABC")
    cohort.edit(TABLE_2026, "USZ", "DEF")
    assert cohort.convert() == 2
    assert (
        "No patient of the tables (ABC-001, DEF-004) has scans (CHUM-001, USZ-004): is this one cohort?"
        in cohort.error()
    )
