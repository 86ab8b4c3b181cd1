"""Whether a finished fold is of what is there now, from the files that a training leaves."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from nnunetv2_adamss.benchmark.outdated import segmentation_differences, training_differences
from nnunetv2_adamss.benchmark.present_cohort import PresentCohort
from nnunetv2_adamss.common.files import sha256_of
from nnunetv2_adamss.survival.cohort.outcome_files import outcomes_source
from nnunetv2_adamss.survival.setup import STAGE_ONE_WEIGHTS

OUTCOMES = {"outcomes": "of outcomes", "description": "of units"}
COHORT = PresentCohort(
    OUTCOMES, [frozenset({"d", "e"})], [frozenset({"a", "b", "c"})], frozenset({"c"}), ".nii.gz"
)


def write_fold(results: Path, **sources: str) -> Path:
    """A fold whose masks are of folds 0 and 1 of Stage I; both checkpoints are newer, as after a copy."""
    folder = results / "AdaMSSSurvTrainer__nnUNetPlans__3d_fullres" / "fold_0"
    (folder / "validation").mkdir(parents=True)
    (folder / "validation" / "survival_predictions.csv").write_text("case_id,risk_score\na,1\nb,2\n")
    found = {outcomes_source(Path("survival.csv")): "of outcomes", "description (survival.json)": "of units"}
    summary = folder / "survival_summary.json"
    for number in (0, 1):
        checkpoint = results / "Seg__nnUNetPlans__3d_fullres" / f"fold_{number}" / "best.pth"
        checkpoint.parent.mkdir(parents=True)
        checkpoint.write_text(f"weights {number}")
        found[f"Stage-I masks (fold {number})"] = sha256_of(checkpoint)
        if number == 0:
            found[STAGE_ONE_WEIGHTS] = sha256_of(checkpoint)
    settings = {"seg_trainer": "Seg", "seg_checkpoint": "best.pth"}
    summary.write_text(json.dumps({"settings": settings, "sources_sha256": found | sources}))
    os.utime(summary, (1, 1))
    return folder


@pytest.mark.parametrize(
    ("sources", "starts", "expected"),
    [
        ({}, True, []),
        ({"outcomes (survival.csv)": "of others"}, True, ["of other outcomes"]),
        ({"description (survival.json)": "of others"}, True, ["of other outcomes"]),
        ({"Stage-I masks (fold 1)": "of others"}, False, ["of another Stage I"]),
        ({STAGE_ONE_WEIGHTS: "of others"}, True, ["of another Stage I"]),
        ({STAGE_ONE_WEIGHTS: "of others"}, False, []),
    ],
)
def test_a_training_is_of_what_it_was_made_from(
    tmp_path: Path, sources: dict[str, str], starts: bool, expected: list[str]
) -> None:
    folder = write_fold(tmp_path, **sources)
    assert training_differences(folder, COHORT, 0, {}, starts_from_stage_one=starts) == expected


def test_only_patients_with_an_outcome_are_expected_in_the_predictions(tmp_path: Path) -> None:
    other = replace(COHORT, without_outcome=frozenset())
    folder = write_fold(tmp_path)
    assert training_differences(folder, other, 0, {}, starts_from_stage_one=True) == ["of another split"]


def write_checkpoint(folder: Path, name: str, **init_args: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    torch.save({"init_args": init_args, "network_weights": {"w": torch.zeros(2)}}, folder / name)
    return folder


@pytest.mark.parametrize("name", ["checkpoint_latest.pth", "checkpoint_final.pth"])
@pytest.mark.parametrize(("trained", "expected"), [("ed", []), ("da", ["of another split"])])
def test_a_stage_one_without_validation_is_of_the_cases_that_its_checkpoint_names(
    tmp_path: Path, name: str, trained: str, expected: list[str]
) -> None:
    folder = write_checkpoint(tmp_path, name, training_cases=list(trained))
    assert segmentation_differences(folder, COHORT, 0) == expected


def test_a_stage_one_without_a_list_of_its_training_cases_is_taken_as_it_is(tmp_path: Path) -> None:
    assert segmentation_differences(write_checkpoint(tmp_path, "checkpoint_latest.pth"), COHORT, 0) == []
    (tmp_path / "checkpoint_latest.pth").write_bytes(b"damaged")
    assert segmentation_differences(tmp_path, COHORT, 0) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"sources": {"outcomes (survival.csv)": "of outcomes"}}, ["of other outcomes"]),
        ({"split": {"training": ["a", "d"], "validation": ["b", "c"]}}, ["of another split"]),
        ({"config": {"seed": 7}}, ["of other settings"]),
    ],
)
def test_a_survival_training_that_was_begun_is_of_what_its_checkpoint_names(
    tmp_path: Path, changes: dict[str, object], expected: list[str]
) -> None:
    begun = {
        "sources": {"outcomes (table.csv)": "of outcomes", "description (survival.json)": "of units"},
        "split": {"training": ["e", "d"], "validation": ["a", "b", "c"]},
        "config": {"seed": 2024, "epochs": None},
    }
    folder = write_checkpoint(tmp_path, "checkpoint_latest.pth", survival=begun | changes)
    found = training_differences(folder, COHORT, 0, {"seed": 2024}, starts_from_stage_one=True)
    assert found == expected
