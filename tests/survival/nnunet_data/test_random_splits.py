"""Stage I says where a data set has outcomes but its splits know nothing of events."""

import json
from pathlib import Path

import pytest
from nnunetv2.utilities.crossval_split import generate_crossval_split

from nnunetv2_adamss.survival.cohort.splits import stratified_splits
from nnunetv2_adamss.survival.cohort.survival_table import read_survival_table
from nnunetv2_adamss.survival.nnunet_data.random_splits import are_drawn_by_nnunet, not_split_by_events
from tests.nnunet_project import NnunetProject

CASES = [f"case_{number:02}" for number in range(20)]
DATASET = "Dataset905_Split"


@pytest.fixture
def splits_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """To be written, of a data set with outcomes."""
    project = NnunetProject(tmp_path)
    project.use(monkeypatch)
    for folder in (project.raw, project.preprocessed):
        (folder / DATASET).mkdir(parents=True)
    rows = [f"{case_id},{100 + place},{place % 2}\n" for place, case_id in enumerate(CASES)]
    survival_csv(tmp_path).write_text("case_id,time,event\n" + "".join(rows))
    return project.preprocessed / DATASET / "splits_final.json"


def survival_csv(root: Path) -> Path:
    return NnunetProject(root).raw / DATASET / "survival.csv"


def test_one_sentence_says_what_to_run_where_nnunet_has_split_or_will(splits_file: Path) -> None:
    before = not_split_by_events(DATASET)
    splits_file.write_text(json.dumps(generate_crossval_split(CASES)))
    after = not_split_by_events(DATASET)
    assert before == after
    assert after is not None
    assert after.endswith("run adamss_make_splits -d 905 before Stage I.")


def test_splits_by_events_or_of_the_users_own_are_left_alone(splits_file: Path, tmp_path: Path) -> None:
    by_events = stratified_splits(read_survival_table(survival_csv(tmp_path), CASES), 5, 12345, None)
    by_hand = [{"train": CASES[:15], "val": CASES[15:]}] * 5
    for splits in (by_events, by_hand, by_hand[:1]):
        splits_file.write_text(json.dumps(splits))
        assert not_split_by_events(DATASET) is None


def test_without_outcomes_nothing_is_said(splits_file: Path, tmp_path: Path) -> None:
    survival_csv(tmp_path).unlink()
    assert not_split_by_events(DATASET) is None


@pytest.mark.parametrize("text", ["", "{}", '[{"train": "all"}]'])
def test_a_file_of_another_kind_does_not_stop_the_training(splits_file: Path, text: str) -> None:
    splits_file.write_text(text)
    assert not_split_by_events(DATASET) is None


def test_without_nnunets_folders_nothing_is_said(splits_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("nnUNet_raw")
    assert not_split_by_events(DATASET) is None


def test_the_same_folds_in_another_order_are_not_nnunets() -> None:
    drawn = generate_crossval_split(CASES)
    assert are_drawn_by_nnunet(drawn)
    assert not are_drawn_by_nnunet(drawn[::-1])
    assert not are_drawn_by_nnunet([{"train": CASES[:2], "val": CASES[2:4]}] * 5), "too few for nnU-Net"
