"""Who the patients are."""

import json

import pandas as pd
import pytest

from nnunetv2_adamss.display.blocks import Facts, Notice, Table, Text
from nnunetv2_adamss.report.sections import cohort
from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation
from tests.finished_project import DATASET
from tests.nnunet_project import NnunetProject


def only_table(blocks: object) -> Table:
    (table,) = [block for block in blocks if isinstance(block, Table)]  # type: ignore[attr-defined]
    return table


def spoil_table(project: NnunetProject) -> pd.DataFrame:
    """The first three cases lose their outcome."""
    file = project.raw / DATASET / "survival.csv"
    table = pd.read_csv(file)
    table.loc[:2, ["time", "event"]] = None
    table.astype({"event": "Int64"}).to_csv(file, index=False)
    return table


def test_patients_are_counted_from_images_to_folds(project: NnunetProject, source: CrossValidation) -> None:
    table = spoil_table(project)
    (steps,) = cohort.patient_flow(source)
    assert isinstance(steps, Facts)
    assert [step for step, _ in steps.rows] == [
        "24 cases with images in the raw data set",
        f"21 cases with an outcome, {int(table['event'].sum())} events",
        "24 cases predicted by a model that was not trained on them, in 3 folds",
    ]
    assert steps.rows[1][1] == "3 cases without an outcome: they can serve Stage I only"


def test_folds_that_the_report_is_not_about_are_named(source: CrossValidation) -> None:
    part = CrossValidation(source.model_folder, source.folds[:1])
    (steps,) = cohort.patient_flow(part)
    assert isinstance(steps, Facts)
    assert steps.rows[-1][1] == "folds not in this report: 1, 2"


def test_without_raw_images_they_are_said_not_to_be_counted(
    project: NnunetProject, source: CrossValidation
) -> None:
    source.table  # noqa: B018  read while it is there
    (project.raw / DATASET).rename(project.raw / "gone")
    steps, notice = cohort.patient_flow(source)
    assert isinstance(steps, Facts)
    assert isinstance(notice, Notice)
    assert steps.rows[0][0].startswith("24 cases with an outcome")
    assert "no longer" in notice.text


def test_groups_missing_values_and_categories_are_counted(source: CrossValidation) -> None:
    clinical = source.table.clinical
    in_a = clinical["centre"] == "A"
    centres = only_table(cohort.by_centre(source))
    assert [row[:2] for row in centres.rows] == [["A", str(in_a.sum())], ["B", str((~in_a).sum())]]
    rows = {row[0]: row[1:] for row in only_table(cohort.characteristics(source)).rows}
    n_missing = clinical["age"].isna()
    assert rows["age: missing"][0].split()[0] == str(n_missing.sum())
    assert rows["age: missing"][1].split()[0] == str((n_missing & in_a).sum())
    assert rows["age"][0].split()[0] == f"{clinical['age'].median():.1f}"
    assert rows["hpv: 1"][0].split()[0] == str((clinical["hpv"] == "1").sum())


def test_without_a_group_column_one_sentence_says_so(project: NnunetProject, source: CrossValidation) -> None:
    file = project.raw / DATASET / "survival.json"
    description = json.loads(file.read_text())
    del description["group_column"]
    file.write_text(json.dumps(description))
    (text,) = cohort.by_centre(source)
    assert isinstance(text, Text)
    assert "group_column" in text.text


def test_the_picture_of_the_curve_can_be_read_aloud(source: CrossValidation) -> None:
    time, _ = source.table.time_and_event(source.table.case_ids)
    picture = cohort.kaplan_meier_picture(source.table)
    assert picture.description.startswith(f"Kaplan-Meier curve of {len(time)} patients.")
    assert "days" in picture.description
    assert picture.source.startswith("data:image/svg+xml;base64,")


def test_the_same_cohort_gives_the_same_bytes(source: CrossValidation) -> None:
    assert cohort.kaplan_meier_picture(source.table) == cohort.kaplan_meier_picture(source.table)


def test_folds_of_different_tables_are_refused(source: CrossValidation) -> None:
    source.folds[0].summary["settings"]["survival_csv"] = "/elsewhere/other.csv"
    with pytest.raises(ValueError, match="different survival tables"):
        _ = source.table
