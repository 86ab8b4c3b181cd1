"""Splits: every case once, events spread evenly, groups on one side, and a file that no model loses."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnunetv2_adamss.survival.cohort.description import SurvivalDescription
from nnunetv2_adamss.survival.cohort.splits import count_folds, leave_one_out_splits, stratified_splits
from nnunetv2_adamss.survival.cohort.splits_file import Split, SplitsChange, save_splits, trained_folds
from nnunetv2_adamss.survival.cohort.survival_table import (
    SurvivalTable,
    SurvivalTableError,
    read_survival_table,
)


def cohort(event: list[bool], n_without_outcome: int = 0, groups: list[str] | None = None) -> SurvivalTable:
    """A table in which the last cases have no outcome."""
    n_cases = len(event) + n_without_outcome
    ids = pd.Index([f"case_{i:03d}" for i in range(n_cases)], name="case_id", dtype=object)
    outcomes = pd.DataFrame({"time": np.arange(1.0, len(event) + 1), "event": event}, index=ids[: len(event)])
    clinical = pd.DataFrame({"centre": groups} if groups else {}, index=ids, dtype=object)
    return SurvivalTable(
        outcomes, clinical, SurvivalDescription(), list(ids[len(event) :]), Path("survival.csv")
    )


def events_per_fold(splits: list[Split], table: SurvivalTable) -> list[int]:
    return [counts.val_events for counts in count_folds(splits, table)]


@st.composite
def cohorts(draw: st.DrawFn) -> tuple[SurvivalTable, int]:
    n_folds = draw(st.integers(2, 5))
    n_events = draw(st.integers(n_folds, 20))
    n_censored = draw(st.integers(n_folds, 20))
    event = draw(st.permutations([True] * n_events + [False] * n_censored))
    return cohort(list(event), n_without_outcome=draw(st.integers(0, 4))), n_folds


@settings(max_examples=60)
@given(drawn=cohorts(), seed=st.integers(0, 2**32 - 1))
def test_every_case_validates_once_and_events_differ_by_at_most_one(
    drawn: tuple[SurvivalTable, int], seed: int
) -> None:
    table, n_folds = drawn
    splits = stratified_splits(table, n_folds, seed)
    validated = [case_id for split in splits for case_id in split["val"]]
    assert len(splits) == n_folds and sorted(validated) == sorted(table.outcomes.index)
    for split in splits:
        assert sorted(split["train"] + split["val"]) == table.case_ids
        assert split["train"] == sorted(split["train"]) and split["val"] == sorted(split["val"])
        assert set(table.without_outcome) <= set(split["train"])
    events = events_per_fold(splits, table)
    assert max(events) - min(events) <= 1


@st.composite
def grouped_cohorts(draw: st.DrawFn) -> SurvivalTable:
    """At least six groups of one to four cases, each with a case that has an outcome; half of them events."""
    sizes = draw(st.lists(st.integers(1, 4), min_size=6, max_size=12))
    groups = [f"g{group}" for group, size in enumerate(sizes) for _ in range(size)]
    event = [case % 2 == 0 for case in range(len(groups))]
    late = draw(st.lists(st.sampled_from(sorted(set(groups))), max_size=4))
    return cohort(event, n_without_outcome=len(late), groups=[*groups, *late])


@settings(max_examples=60)
@given(table=grouped_cohorts(), seed=st.integers(0, 1000))
def test_no_group_is_on_both_sides(table: SurvivalTable, seed: int) -> None:
    groups = table.groups("centre")
    splits = stratified_splits(table, 3, seed, group_column="centre")
    assert sorted(case_id for split in splits for case_id in split["val"]) == sorted(table.outcomes.index)
    for split in splits:
        assert not set(groups[split["train"]]) & set(groups[split["val"]])
        left_out = set(table.case_ids) - set(split["train"]) - set(split["val"])
        assert left_out <= set(table.without_outcome)
        assert set(groups[list(left_out)]) <= set(groups[split["val"]])


def test_the_order_of_the_rows_does_not_matter_and_the_seed_does() -> None:
    table = cohort([True, False] * 10)
    turned = SurvivalTable(table.outcomes[::-1], table.clinical[::-1], table.description, [], table.path)
    assert stratified_splits(table) == stratified_splits(turned)
    assert stratified_splits(table) != stratified_splits(table, seed=1)


def test_the_sarcoma_split_has_two_or_three_events_in_every_fold(real_data: Path) -> None:
    table = read_survival_table(real_data / "Dataset510_STS" / "survival.csv")
    assert sorted(events_per_fold(stratified_splits(table), table)) == [2, 2, 3, 3, 3]


def test_leaving_one_centre_out_validates_on_that_centre() -> None:
    # Case 4 has no outcome: it trains the fold without its own centre B, and is kept out of the other.
    table = cohort([True, False, True, False], n_without_outcome=1, groups=["B", "B", "A", "A", "B"])
    assert leave_one_out_splits(table, "centre") == [
        {"train": ["case_000", "case_001", "case_004"], "val": ["case_002", "case_003"]},
        {"train": ["case_002", "case_003"], "val": ["case_000", "case_001"]},
    ]


def test_a_centre_without_outcomes_has_no_fold_and_trains_all() -> None:
    table = cohort([True, True], n_without_outcome=1, groups=["A", "B", "C"])
    splits = leave_one_out_splits(table, "centre")
    assert [split["val"] for split in splits] == [["case_000"], ["case_001"]]
    assert all("case_002" in split["train"] for split in splits)


def test_a_validation_part_without_an_event_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    table = cohort([True, True, False, False], groups=["A", "B", "C", "C"])
    assert len(leave_one_out_splits(table, "centre")) == 3
    assert "Fold 2 has no event in its validation part" in caplog.text
    caplog.clear()
    stratified_splits(cohort([True, True, *[False] * 10]), 5)
    assert caplog.text.count("has no event in its validation part") == 3


def test_a_training_part_without_an_event_is_refused() -> None:
    table = cohort([True, False, False], groups=["A", "B", "C"])
    with pytest.raises(ValueError, match="Fold 0 has no event to train on"):
        leave_one_out_splits(table, "centre")


@pytest.mark.parametrize(
    ("n_folds", "seed", "column", "message"),
    [
        (1, 0, None, "There are 1 folds and the seed is 0"),
        (2, -1, None, "the seed is -1"),
        (5, 0, None, "2 events and 4 censored cases are too few for 5 folds; ask for at most 4"),
        (3, 0, "centre", "2 groups in column 'centre' are too few for 3 folds"),
    ],
)
def test_impossible_folds_are_refused(n_folds: int, seed: int, column: str | None, message: str) -> None:
    table = cohort([True, True, False, False, False, False], groups=["A", "A", "A", "B", "B", "B"])
    with pytest.raises(ValueError, match=message):
        stratified_splits(table, n_folds, seed, column)


def test_a_column_of_one_value_or_with_gaps_cannot_be_left_out() -> None:
    with pytest.raises(ValueError, match="All cases with an outcome have 'A' in column 'centre'"):
        leave_one_out_splits(cohort([True, False], groups=["A", "A"]), "centre")
    gaps = cohort([True, False], groups=["A", float("nan")])  # type: ignore[list-item]
    with pytest.raises(SurvivalTableError, match="group column 'centre' is empty: case_001"):
        leave_one_out_splits(gaps, "centre")


ONE, OTHER = [{"train": ["a"], "val": ["b"]}], [{"train": ["b"], "val": ["a"]}]


def train_a_fold(results: Path, fold: str = "fold_0") -> Path:
    folder = results / "AdaMSSSegTrainer__nnUNetPlans__3d_fullres" / fold
    folder.mkdir(parents=True)
    (folder / "checkpoint_latest.pth").touch()
    return folder


def test_a_split_is_written_once_and_then_left_alone(tmp_path: Path) -> None:
    file, results = tmp_path / "splits_final.json", tmp_path / "results"
    assert save_splits(ONE, file, results) is SplitsChange.WRITTEN
    train_a_fold(results)
    before = file.stat().st_mtime_ns
    assert save_splits(ONE, file, results) is SplitsChange.UNCHANGED
    assert file.stat().st_mtime_ns == before
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["splits_final.json"]


def test_another_split_is_replaced_as_long_as_no_model_depends_on_it(tmp_path: Path) -> None:
    file, results = tmp_path / "splits_final.json", tmp_path / "results"
    file.write_text("half a fi")
    train_a_fold(results, "fold_all")  # trains on all cases, whatever the split
    assert save_splits(ONE, file, results) is SplitsChange.REPLACED
    assert json.loads(file.read_text()) == ONE


def test_a_split_with_trained_models_is_kept_unless_asked_otherwise(tmp_path: Path) -> None:
    file, results = tmp_path / "splits_final.json", tmp_path / "results"
    save_splits(ONE, file, results)
    fold = train_a_fold(results)
    assert trained_folds(results) == [fold]
    with pytest.raises(FileExistsError, match="on which 1 folds were trained, such as .*fold_0"):
        save_splits(OTHER, file, results)
    assert json.loads(file.read_text()) == ONE
    assert save_splits(OTHER, file, results, overwrite=True) is SplitsChange.REPLACED
    assert json.loads(file.read_text()) == OTHER


def test_without_a_results_folder_another_split_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "splits_final.json"
    assert save_splits(ONE, file, None) is SplitsChange.WRITTEN
    with pytest.raises(FileExistsError, match="without nnUNet_results it is not known"):
        save_splits(OTHER, file, None)
