"""Whether finished results are of the outcomes, the split, Stage I and the settings as they are now."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from nnunetv2_adamss.benchmark.cohort import Cohort
from nnunetv2_adamss.benchmark.steps import Step, needed_steps
from nnunetv2_adamss.survival.files import read_json, sha256_of
from nnunetv2_adamss.survival.messages import listed
from nnunetv2_adamss.survival.results.fold_results import PREDICTIONS_FILE, SUMMARY_FILE
from nnunetv2_adamss.survival.setup import STAGE_ONE_WEIGHTS

_OTHER_SPLIT = "of another split"
_OUTCOMES = "outcomes ("  # the table's name follows
_MASKS = re.compile(r"Stage-I masks \(fold (\d+)\)")


def survival_differences(
    fold_folder: Path, cohort: Cohort, fold: int, settings: Mapping[str, Any]
) -> list[str]:
    """Where a finished survival training or fit is of something else, in words.

    Args:
        fold_folder: where it lies.
        cohort: as it is now.
        fold: its number.
        settings: that it must have.
    """
    summary = _summary(fold_folder)
    sources: Mapping[str, str] = summary.get("sources_sha256", {})
    outcomes = [sha256 for name, sha256 in sources.items() if name.startswith(_OUTCOMES)]
    predicted = pd.read_csv(fold_folder / PREDICTIONS_FILE, usecols=["case_id"], dtype=str)["case_id"]
    found = {
        "of other outcomes": outcomes != [cohort.outcomes_sha256],
        _OTHER_SPLIT: set(predicted) != cohort.judged(fold),
        "of other settings": any(summary["settings"].get(name) != value for name, value in settings.items()),
    }
    return [words for words, differs in found.items() if differs]


def training_differences(
    fold_folder: Path, cohort: Cohort, fold: int, *, starts_from_stage_one: bool
) -> list[str]:
    """Where a finished survival training is of something else, in words.

    Args:
        fold_folder: nnU-Net's.
        cohort: as it is now.
        fold: its number.
        starts_from_stage_one: whether Stage I's weights count even where its masks are not used.
    """
    summary, made = _summary(fold_folder), (fold_folder / SUMMARY_FILE).stat().st_mtime
    sources: Mapping[str, str] = summary.get("sources_sha256", {})
    used = {int(found[1]): sha256 for name, sha256 in sources.items() if (found := _MASKS.fullmatch(name))}
    if starts_from_stage_one:
        used[fold] = sources.get(STAGE_ONE_WEIGHTS, "")
    plans_and_configuration = fold_folder.parent.name.partition("__")[2]
    stage_one = fold_folder.parents[1] / f"{summary['settings']['seg_trainer']}__{plans_and_configuration}"
    checkpoints = {
        stage_one / f"fold_{number}" / summary["settings"]["seg_checkpoint"]: sha256
        for number, sha256 in used.items()
    }
    # Only what is newer is read: there are many, and they are large.
    is_other = any(
        checkpoint.stat().st_mtime > made and sha256_of(checkpoint) != sha256
        for checkpoint, sha256 in checkpoints.items()
        if checkpoint.is_file()
    )
    return [
        *survival_differences(fold_folder, cohort, fold, {}),
        *(["of another Stage I"] if is_other else []),
    ]


def segmentation_differences(summary: Path, cohort: Cohort, fold: int) -> list[str]:
    """Whether nnU-Net validated a finished fold on other cases, in words.

    Args:
        summary: nnU-Net's ``summary.json``.
        cohort: as it is now.
        fold: its number.
    """
    per_case = read_json(summary)["metric_per_case"]
    validated = {Path(case["prediction_file"]).name.removesuffix(cohort.file_ending) for case in per_case}
    return [] if validated == cohort.validated[fold] else [_OTHER_SPLIT]


def _summary(fold_folder: Path) -> dict[str, Any]:
    file = fold_folder / SUMMARY_FILE
    summary: dict[str, Any] = read_json(file)
    if "settings" not in summary:
        raise ValueError(f"{file} has no settings, so it is no summary of this package's.")
    return summary


def refuse_outdated_trainings(steps: Sequence[Step]) -> None:
    """Raise ValueError if finished trainings are of something else than today's, naming them."""
    outdated: dict[str, list[str]] = {}
    to_train = {step.name for step in needed_steps(steps) if step.resumes and not step.evidence[0].is_file()}
    for step in steps:
        if not step.resumes or not step.is_there:
            continue
        is_left_behind = not to_train.isdisjoint(_behind(step))
        for words in [*step.differences(), *(["of a Stage I that is not there"] if is_left_behind else [])]:
            outdated.setdefault(words, []).append(step.name)
    if outdated:
        words = "; ".join(f"{difference}: {listed(names)}" for difference, names in outdated.items())
        raise ValueError(
            f"Some finished trainings are not of the outcomes, the split and the Stage I as they are now ({words}); "
            "bring back what they were trained on, or move these folds' folders away, so that they are trained anew."
        )


def _behind(step: Step) -> set[str]:
    """Names of the steps that its result comes from."""
    return {name for one in step.made_from for name in (one.name, *_behind(one))}
