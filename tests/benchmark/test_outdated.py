"""Whether a finished fold is of what is there now, from the files that a training leaves."""

import json
import os
from pathlib import Path

import pytest

from nnunetv2_adamss.benchmark.cohort import Cohort
from nnunetv2_adamss.benchmark.outdated import training_differences
from nnunetv2_adamss.survival.files import sha256_of
from nnunetv2_adamss.survival.setup import STAGE_ONE_WEIGHTS, outcomes_source

COHORT = Cohort("of outcomes", [frozenset({"a", "b", "c"})], frozenset({"c"}), ".nii.gz")


def write_fold(results: Path, **sources: str) -> Path:
    """A fold whose masks are of folds 0 and 1 of Stage I; both checkpoints are newer, as after a copy."""
    folder = results / "AdaMSSSurvTrainer__nnUNetPlans__3d_fullres" / "fold_0"
    (folder / "validation").mkdir(parents=True)
    (folder / "validation" / "survival_predictions.csv").write_text("case_id,risk_score\na,1\nb,2\n")
    found = {outcomes_source(Path("survival.csv")): COHORT.outcomes_sha256}
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
        ({"Stage-I masks (fold 1)": "of others"}, False, ["of another Stage I"]),
        ({STAGE_ONE_WEIGHTS: "of others"}, True, ["of another Stage I"]),
        ({STAGE_ONE_WEIGHTS: "of others"}, False, []),
    ],
)
def test_a_training_is_of_what_it_was_made_from(
    tmp_path: Path, sources: dict[str, str], starts: bool, expected: list[str]
) -> None:
    folder = write_fold(tmp_path, **sources)
    assert training_differences(folder, COHORT, 0, starts_from_stage_one=starts) == expected


def test_who_has_no_outcome_is_not_missed_but_whoever_has_one_is(tmp_path: Path) -> None:
    other = Cohort(COHORT.outcomes_sha256, COHORT.validated, frozenset(), ".nii.gz")
    folder = write_fold(tmp_path)
    assert training_differences(folder, other, 0, starts_from_stage_one=True) == ["of another split"]
