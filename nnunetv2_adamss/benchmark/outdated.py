"""Compare trainings and fits with the present outcomes, split, Stage I and settings."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nnunetv2_adamss.benchmark.present_cohort import PresentCohort, outcome_hashes
from nnunetv2_adamss.benchmark.steps import Step, needed_steps
from nnunetv2_adamss.common.files import sha256_of
from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.common.tables.csv_text import read_csv
from nnunetv2_adamss.survival.nnunet_data.validation_summary import read_validated_files
from nnunetv2_adamss.survival.setup import STAGE_ONE_WEIGHTS
from nnunetv2_adamss.trained_folds.fold_files import PREDICTIONS_FILE, SUMMARY_FILE
from nnunetv2_adamss.trained_folds.summary_file import read_summary
from nnunetv2_adamss.trained_folds.trained_fold import TrainedFold
from nnunetv2_adamss.trained_folds.training_cases import TRAINING_CASES

_OTHER_OUTCOMES, _OTHER_SPLIT, _OTHER_SETTINGS = (
    "of other outcomes", "of another split", "of other settings"
)  # fmt: skip
_MASKS = re.compile(r"Stage-I masks \(fold (\d+)\)")


def survival_differences(
    fold_folder: Path, cohort: PresentCohort, fold: int, settings: Mapping[str, Any]
) -> list[str]:
    """Describe differences of a finished survival training or fit from the present inputs.

    Args:
        fold_folder: of the training or fit.
        cohort: present outcomes and split.
        fold: its number.
        settings: that it must have.
    """
    summary = read_summary(fold_folder)
    return _words(
        {
            _OTHER_OUTCOMES: outcome_hashes(summary.get("sources_sha256", {})) != cohort.outcomes,
            _OTHER_SPLIT: _predicted_cases(fold_folder / PREDICTIONS_FILE)
            != cohort.validated_with_outcome(fold),
            _OTHER_SETTINGS: _differ(settings, summary["settings"]),
        }
    )


def training_differences(
    fold_folder: Path,
    cohort: PresentCohort,
    fold: int,
    settings: Mapping[str, Any],
    *,
    starts_from_stage_one: bool,
) -> list[str]:
    """Describe differences of a survival training, finished or not, from the present inputs.

    Args:
        fold_folder: nnU-Net's.
        cohort: present outcomes and split.
        fold: its number.
        settings: those that the user gave; a training can only continue with its own.
        starts_from_stage_one: whether Stage I's weights count even where its masks are not used.
    """
    if not all((fold_folder / name).is_file() for name in (SUMMARY_FILE, PREDICTIONS_FILE)):
        return _begun_survival_differences(fold_folder, cohort, fold, settings)
    found = survival_differences(fold_folder, cohort, fold, {})
    is_other = _is_of_other_stage_one(fold_folder, fold, starts_from_stage_one)
    return [*found, *(["of another Stage I"] if is_other else [])]


def segmentation_differences(fold_folder: Path, cohort: PresentCohort, fold: int) -> list[str]:
    """Describe differences of the cases that a Stage I was trained on, and validated on if finished, from the split.

    Args:
        fold_folder: nnU-Net's.
        cohort: present outcomes and split.
        fold: its number.
    """
    trained = (TrainedFold(fold_folder).begun_with() or {}).get(TRAINING_CASES)  # not in older checkpoints
    is_other = trained is not None and set(trained) != cohort.training[fold]
    summary = validation_summary(fold_folder)
    if summary.is_file():
        is_other |= _validated_cases(summary, cohort.file_ending) != cohort.validated[fold]
    return _words({_OTHER_SPLIT: is_other})


def validation_summary(fold_folder: Path) -> Path:
    """Return the file that nnU-Net's validation writes last."""
    return fold_folder / "validation" / "summary.json"


def refuse_outdated_trainings(steps: Sequence[Step]) -> None:
    """Raise ValueError if trainings are of other inputs than the present ones, naming them."""
    outdated: dict[str, list[str]] = {}
    to_train = {step.name for step in needed_steps(steps) if step.resumes and not step.evidence[0].is_file()}
    for step in steps:
        if not (step.resumes and (step.is_there or step.will_resume)):
            continue
        is_left_behind = not to_train.isdisjoint(_behind(step))
        for words in [*step.differences(), *(["of a Stage I that is not there"] if is_left_behind else [])]:
            outdated.setdefault(words, []).append(step.name)
    if outdated:
        words = "; ".join(f"{difference}: {listed(names)}" for difference, names in outdated.items())
        raise ValueError(
            "Some trainings, finished or begun, are not of the outcomes, the split, the settings and the Stage I as "
            f"they are now ({words}); bring back what they were trained on, or move these folds' folders away, so that "
            "they are trained again."
        )


def _begun_survival_differences(
    fold_folder: Path, cohort: PresentCohort, fold: int, settings: Mapping[str, Any]
) -> list[str]:
    begun = (TrainedFold(fold_folder).begun_with() or {}).get("survival")
    if begun is None:  # a checkpoint that cannot be read, as the training that continues from it will report
        return []
    split = {name: frozenset(cases) for name, cases in begun["split"].items()}
    now = {"training": cohort.training[fold], "validation": cohort.validated[fold]}
    return _words(
        {
            _OTHER_OUTCOMES: outcome_hashes(begun["sources"]) != cohort.outcomes,
            _OTHER_SPLIT: split != now,
            _OTHER_SETTINGS: _differ(settings, begun["config"]),
        }
    )


def _is_of_other_stage_one(fold_folder: Path, fold: int, starts_from_stage_one: bool) -> bool:
    summary = read_summary(fold_folder, "settings.seg_trainer", "settings.seg_checkpoint")
    made = (fold_folder / SUMMARY_FILE).stat().st_mtime
    settings, sources = summary["settings"], summary.get("sources_sha256", {})
    used = {int(found[1]): sha256 for name, sha256 in sources.items() if (found := _MASKS.fullmatch(name))}
    if starts_from_stage_one:
        used[fold] = sources.get(STAGE_ONE_WEIGHTS, "")
    plans_and_configuration = fold_folder.parent.name.partition("__")[2]
    stage_one = fold_folder.parents[1] / f"{settings['seg_trainer']}__{plans_and_configuration}"
    checkpoints = {
        stage_one / f"fold_{number}" / settings["seg_checkpoint"]: sha256 for number, sha256 in used.items()
    }
    # Only what is newer is read: there are many, and they are large.
    return any(
        checkpoint.stat().st_mtime > made and sha256_of(checkpoint) != sha256
        for checkpoint, sha256 in checkpoints.items()
        if checkpoint.is_file()
    )


def _predicted_cases(file: Path) -> set[str]:
    try:
        return set(read_csv(file, usecols=["case_id"], dtype=str)["case_id"])
    except ValueError as error:  # includes pandas' own errors
        raise ValueError(f"{file} cannot be read as predictions ({' '.join(str(error).split())}).") from error


def _validated_cases(summary: Path, file_ending: str) -> set[str]:
    return {file.name.removesuffix(file_ending) for file in read_validated_files(summary)}


def _differ(asked: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    return any(found.get(name) != value for name, value in asked.items())


def _words(found: Mapping[str, bool]) -> list[str]:
    return [words for words, differs in found.items() if differs]


def _behind(step: Step) -> set[str]:
    """Return the names of all steps that a step's result comes from."""
    return {name for one in step.made_from for name in (one.name, *_behind(one))}
