"""Dice of the validation patients."""

import json

import pytest

from nnunetv2_adamss.display.blocks import Notice, Table
from nnunetv2_adamss.report.sections import stage_one_dice as segmentation
from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation
from tests.finished_project import SEG_TRAINER, model_folder
from tests.nnunet_project import NnunetProject


def write_summary(
    project: NnunetProject, fold: int, labels: dict[str, list[tuple[float, int, int, int]]]
) -> None:
    """By label of each case: Dice, TP, FP, FN."""
    names = ("Dice", "TP", "FP", "FN")
    n_cases = len(next(iter(labels.values())))
    cases = [
        {"metrics": {label: dict(zip(names, values[case], strict=True)) for label, values in labels.items()}}
        for case in range(n_cases)
    ]
    file = model_folder(project, SEG_TRAINER) / f"fold_{fold}" / "validation" / "summary.json"
    file.write_text(json.dumps({"metric_per_case": cases}))


def rows_of(source: CrossValidation) -> list[list[str]]:
    (table,) = [block for block in segmentation.dice_of_labels(source) if isinstance(block, Table)]
    return [list(row) for row in table.rows]


def test_mean_and_aggregated_dice_are_those_by_hand(project: NnunetProject, source: CrossValidation) -> None:
    nan = float("nan")
    # A large tumour found well, a small one missed, and a patient without this label.
    write_summary(project, 0, {"1": [(0.9, 900, 100, 100), (0.0, 0, 0, 10), (nan, 0, 0, 0)]})
    rows = rows_of(source)
    assert rows[0] == ["Fold 0", "primary_tumour", "2 of 3", "0.45", "0.45", "0.00", f"{1800 / 2010:.2f}"]


def test_a_label_that_is_in_no_patient_has_no_dice(project: NnunetProject, source: CrossValidation) -> None:
    write_summary(project, 0, {"2": [(float("nan"), 0, 0, 0)]})
    assert rows_of(source)[0] == ["Fold 0", "lymph_nodes", "0 of 1", *["–"] * 4]  # noqa: RUF001


def test_regions_have_their_names(project: NnunetProject, source: CrossValidation) -> None:
    file = source.model_folder / "dataset.json"
    description = json.loads(file.read_text())
    description["labels"] = {"background": 0, "whole tumour": [1, 2], "core": 2}
    file.write_text(json.dumps(description))
    for fold in range(3):
        write_summary(project, fold, {"(1, 2)": [(0.5, 1, 1, 1)], "2": [(0.5, 1, 1, 1)]})
    assert {row[1] for row in rows_of(source)} == {"whole tumour", "core"}


def test_a_fold_without_validation_is_named_with_the_command(
    project: NnunetProject, source: CrossValidation
) -> None:
    folder = model_folder(project, SEG_TRAINER) / "fold_1" / "validation"
    (folder / "summary.json").unlink()
    (notice,) = [block for block in segmentation.dice_of_labels(source) if isinstance(block, Notice)]
    assert notice.text.startswith("Fold 1 has no Dice")
    assert "nnUNetv2_train" in notice.text
    assert {row[0] for row in rows_of(source)} == {"Fold 0", "Fold 2", "All folds"}


def test_the_mean_over_folds_counts_every_patient_once(
    project: NnunetProject, source: CrossValidation
) -> None:
    write_summary(project, 0, {"1": [(1.0, 1, 0, 0)]})
    write_summary(project, 1, {"1": [(0.4, 1, 1, 2), (0.4, 1, 1, 2)]})
    write_summary(project, 2, {"1": [(float("nan"), 0, 0, 0)]})
    assert segmentation.mean_dice(source)["primary_tumour"] == pytest.approx(0.6)
