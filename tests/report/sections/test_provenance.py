"""Settings, versions, hashes, and the checklist."""

import pytest

from nnunetv2_adamss.display.blocks import Notice, Table
from nnunetv2_adamss.report.sections import provenance
from nnunetv2_adamss.report.sections.tripod import AUTHORS, checklist
from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation
from nnunetv2_adamss.trained_folds.trained_fold import TrainedFold
from tests.finished_project import DATASET
from tests.nnunet_project import NnunetProject


def table_of(blocks: object) -> Table:
    (table,) = [block for block in blocks if isinstance(block, Table)]  # type: ignore[attr-defined]
    return table


def test_a_setting_in_which_folds_differ_is_shown_by_fold(source: CrossValidation) -> None:
    source.folds[1].summary["settings"]["seed"] = 7
    rows = {row[0]: row[1] for row in table_of(provenance.settings_table(source)).rows}
    assert rows["seed"] == "Fold 0: 2024; Fold 1: 7; Fold 2: 2024"
    assert rows["n_intervals"] == "10"
    assert rows["mirroring"] == "yes"
    assert rows["masks_dir"] == "not set"


def test_a_file_that_folds_share_has_one_row(source: CrossValidation) -> None:
    for number, fold in enumerate(source.folds):
        fold.summary["sources_sha256"] |= {"outcomes": "abc", "Stage-I weights": f"w{number}"}
    rows = [list(row) for row in table_of(provenance.files(source)).rows]
    assert ["outcomes", "0, 1, 2", "abc"] in rows
    assert ["Stage-I weights", "1", "w1"] in rows


def test_folds_of_different_versions_are_warned_of(source: CrossValidation) -> None:
    source.folds[2].summary["versions"]["torch"] = "1.0"
    notices = [block.text for block in provenance.software(source) if isinstance(block, Notice)]
    assert notices == ["The folds were trained with different versions of torch."]


def test_fewer_intervals_leave_dashes(source: CrossValidation) -> None:
    source.folds[0].summary["interval_edges"] = [0.0, 100.0, 200.0]
    first, second, _ = table_of(provenance.interval_edges(source)).rows
    assert list(first) == ["Fold 0", "100", "200", *["–"] * 8]  # noqa: RUF001
    assert second[1] != "–"  # noqa: RUF001


def test_the_checklist_has_all_items_of_tripod_ai_and_leaves_the_authors_theirs(
    source: CrossValidation,
) -> None:
    table = table_of(checklist(source))
    rows = {row[0]: row[-1] for row in table.rows}
    parts = {
        3: "abc",
        5: "ab",
        6: "abc",
        8: "abc",
        9: "abc",
        12: "abcdefg",
        18: "abcdef",
        20: "abc",
        23: "ab",
        27: "abc",
    }
    assert list(rows) == [f"{item}{part}" for item in range(1, 28) for part in parts.get(item, [""])]
    assert len(rows) == 52
    assert [row[0] for row in table.rows if row[2] == "E"] == ["12f", "12g", "20c", "24"]
    assert rows["17"] == rows["18a"] == rows["25"] == AUTHORS
    assert rows["10"].startswith("24 patients and 12 events")
    assert "Fold 0: training 16 (8 events), validation 8 (4 events)" in rows["21"]


def test_the_group_column_is_a_setting_and_no_offered_covariate(source: CrossValidation) -> None:
    assert source.table.description.group_column == "centre"
    rows = {row[0]: row[-1] for row in table_of(checklist(source)).rows}
    assert "clinical columns age and hpv." in rows["9b"]
    assert rows["6a"].startswith("Values of centre: 2")


def test_the_checklist_says_what_this_model_has_and_nothing_else(source: CrossValidation) -> None:
    """No clinical columns offered, edges given by hand, one fold of three, and no endpoint."""
    fold = source.folds[0]
    fold.summary["settings"]["interval_edges"] = fold.summary["interval_edges"] = [0.0, 365.0, 730.0]
    (fold.folder / "hazard_ratios.csv").unlink(missing_ok=True)
    alone = CrossValidation(source.model_folder, [fold])
    rows = {row[0]: row[-1] for row in table_of(checklist(alone)).rows}
    assert "on images, evaluated by cross-validation" in rows["1"]
    assert rows["9a"].startswith("No predictors beside the images")
    assert rows["9b"] == "Images: CT and PET. Nothing else."
    assert "intervals: as given in the settings" in rows["12b"]
    assert "; 2 time intervals," in rows["12c"]
    assert rows["12a"].startswith("1 fold of 3 of nnU-Net's split: each of 8 patients")
    assert rows["12g"] != rows["22"] and "the last epoch" in rows["12g"]


def test_a_model_of_all_patients_is_said_to_be_not_evaluated(
    source: CrossValidation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TrainedFold, "number", "all")
    rows = {row[0]: row[-1] for row in table_of(checklist(source)).rows}
    assert "not evaluated" in rows["1"]
    assert rows["23a"] == rows["12g"] == AUTHORS


def test_without_the_table_its_facts_are_left_to_the_authors(
    project: NnunetProject, source: CrossValidation
) -> None:
    (project.raw / DATASET / "survival.csv").unlink()
    rows = {row[0]: row[-1] for row in table_of(checklist(source)).rows}
    assert rows["10"] == rows["11"] == AUTHORS
    assert "AdaMSSSurvTrainer" in rows["12c"]
