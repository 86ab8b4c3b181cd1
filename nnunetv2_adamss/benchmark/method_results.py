"""Results of a method: risk scores, masks, size, time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nnunetv2_adamss.benchmark.compared_patients import ComparedPatients, MeasuredDice
from nnunetv2_adamss.benchmark.folders import TEST_MASKS, TEST_PREDICTIONS, BenchmarkFolders
from nnunetv2_adamss.common.mask_flags import MASK_FLAGS
from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.evaluation.prediction_files import RISK_SCORE, read_predictions
from nnunetv2_adamss.methods.method import Method
from nnunetv2_adamss.survival.tumour_region.stage_one_masks import MASK_FOLDERS
from nnunetv2_adamss.trained_folds.fold_files import PREDICTED_MASKS, PREDICTIONS_FILE, SUMMARY_FILE
from nnunetv2_adamss.trained_folds.trained_fold import TrainedFold

_OTHER_FOLDS = (
    "scores and masks of a fold's training patients come from networks that were trained on its validation patients; "
    "those of the validation patients themselves do not."
)
# Settings in which earlier trainings may differ from those that the benchmark would make.
_MASK_SETTINGS = tuple(name for name in MASK_FLAGS if name != "seg_trainer")
_TRAINING_SETTINGS = (
    *MASK_FLAGS, "seed", "epochs", "select", "features_csv", "clinical_selection", "feature_selection", "max_features",
)  # fmt: skip
# Of AdaMSS, with defaults by the recipe; other networks have their own.
_ADAMSS_SETTINGS = (
    "n_intervals", "interval_rule", "interval_edges", "loss_reduction", "pool",
    "radiomics", "anchor", "batch_norm", "head_rate", "baseline",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class MethodResult:
    """The results of one method.

    Args:
        method: which.
        risk_score: index ``case_id``, higher = earlier event; None without one.
        why_no_risk: in words; empty for a method that predicts no survival.
        is_planned: whether it is compared with the reference once all steps are done.
        dice: of its masks; None without any.
        why_no_dice: in words; empty for a method that does not segment.
        parameters: of the survival network or model.
        seconds: mean over the folds, of all trainings that it consists of.
        risk_of_seeds: risk scores of the further seeds that are finished.
        notes: what to bear in mind.
    """

    method: Method
    risk_score: pd.Series | None = None
    why_no_risk: str = ""
    is_planned: bool = True
    dice: MeasuredDice | None = None
    why_no_dice: str = ""
    parameters: int | None = None
    seconds: float | None = None
    risk_of_seeds: Sequence[pd.Series] = field(default_factory=tuple)
    notes: Sequence[str] = field(default_factory=tuple)


def cross_validated_result(
    method: Method, folders: BenchmarkFolders, patients: ComparedPatients
) -> MethodResult:
    """Return a method's results on the validation patients, with a reason for each that is missing.

    Args:
        method: which.
        folders: of the benchmark.
        patients: validation patients of its folds.
    """
    first, *other_seeds = folders.settings.seeds
    name = folders.survival(method)
    folds = _folds(name, folders, first)
    risk_score, why_no_risk = _risk_score(folds)
    dice, why_no_dice = _dice(method, patients, _masks(method, folders))
    is_finished = risk_score is not None
    of_seeds = {seed: _risk_score(_folds(name, folders, seed))[0] for seed in other_seeds if name}
    notes = _unfinished_seeds(method, of_seeds)
    if is_finished:
        notes += [*_other_settings(method, folders), *_optimism(method, folds)]
    return MethodResult(
        method,
        risk_score,
        why_no_risk,
        is_planned=name is not None,
        dice=dice,
        why_no_dice=why_no_dice,
        parameters=_parameters(method, folders) if is_finished else None,
        seconds=_seconds(method, folders),
        risk_of_seeds=[risk for risk in of_seeds.values() if risk is not None],
        notes=notes,
    )


def result_on_test_set(
    result: MethodResult, folders: BenchmarkFolders, patients: ComparedPatients, masks: Path | None
) -> MethodResult:
    """Return the results of the same method on test patients, by all folds together.

    Args:
        result: of the cross-validation.
        folders: of the benchmark.
        patients: of the test set.
        masks: of AdaMSS's Stage I; None if there are none.
    """
    method, name = result.method, folders.survival(result.method)
    risk_score, why_no_risk = None, ""
    if name is not None:
        file = folders.test / name / TEST_PREDICTIONS
        is_there = file.is_file()
        risk_score, why_no_risk = (
            _read_risk([file]) if is_there else (None, _why_not_predicted(method, masks))
        )
    dice, why_no_dice = None, ""
    if method.has_own_masks:
        why_no_dice = "its own masks of new patients are not written"
    elif method.segments and folders.settings.uses_reference_masks:
        why_no_dice = (
            "the reference masks were given, so no network segmented the tumours of the test patients"
        )
    elif method.segments:
        own = masks if name is None else folders.test / name / TEST_MASKS
        dice, why_no_dice = _dice(method, patients, {0: own or folders.test})
    return replace(
        result,
        risk_score=risk_score,
        why_no_risk=why_no_risk,
        is_planned=name is not None and not method.needs_other_folds,
        dice=dice,
        why_no_dice=why_no_dice,
        risk_of_seeds=(),
        notes=() if risk_score is None else _other_settings(method, folders),
    )


def _why_not_predicted(method: Method, masks: Path | None) -> str:
    if method.needs_other_folds:
        return "it needs radiomics of its network's masks, and those of new patients are not written"
    if masks is None and (method.measures_tumour or method.radiomics == "predicted"):
        return "no network is there that segments the tumours of the test patients"
    return "the test patients are not predicted"


def _folds(trainer: str | None, folders: BenchmarkFolders, seed: int) -> list[TrainedFold]:
    """Return the fold folders of a trainer or statistical method; none for a method that predicts no survival."""
    if trainer is None:
        return []
    return [TrainedFold(folders.fold(trainer, number, seed)) for number in folders.settings.folds]


def _unfinished_seeds(method: Method, risk_of_seeds: Mapping[int, pd.Series | None]) -> list[str]:
    unfinished = [str(seed) for seed, risk in risk_of_seeds.items() if risk is None]
    are = f"seed {unfinished[0]} is" if len(unfinished) == 1 else f"seeds {', '.join(unfinished)} are"
    return [f"{method.title}: {are} not finished, and not in C over seeds."] if unfinished else []


def _risk_score(folds: Sequence[TrainedFold]) -> tuple[pd.Series | None, str]:
    if not folds:
        return None, ""
    missing = [str(fold.number) for fold in folds if not fold.has_files(SUMMARY_FILE, PREDICTIONS_FILE)]
    if missing:
        return None, f"not finished: fold {', '.join(missing)}"
    return _read_risk([fold.folder / PREDICTIONS_FILE for fold in folds])


def _read_risk(files: Sequence[Path]) -> tuple[pd.Series | None, str]:
    try:
        return read_predictions(files).table[RISK_SCORE], ""
    except ValueError as error:
        return None, " ".join(str(error).split()).rstrip(".")


def _dice(
    method: Method, patients: ComparedPatients, masks_of_fold: Mapping[int, Path]
) -> tuple[MeasuredDice | None, str]:
    if not method.segments:
        return None, ""
    try:
        return patients.dice(masks_of_fold, has_labels=not method.has_own_masks), ""
    except ValueError as error:
        return None, str(error).rstrip(".")


def _masks(method: Method, folders: BenchmarkFolders) -> dict[int, Path]:
    """Return the folder of each fold's masks of its validation patients."""
    if method.has_own_masks and method.trainer:
        name, masks = folders.trainer(method.trainer), PREDICTED_MASKS
    else:
        name = folders.trainer(method.stage_one)
        # If the survival networks did not need Stage I's masks, nnU-Net's validation has them.
        settings = folders.settings
        masks = MASK_FOLDERS[settings.mirroring] if settings.predicts_masks else "validation"
    seed = folders.settings.seeds[0]
    return {fold: folders.fold(name, fold, seed) / masks for fold in folders.settings.folds}


def _fitted_or_trained(method: Method, folders: BenchmarkFolders) -> list[str]:
    """Return the network and the statistical method that a method consists of."""
    names = [folders.trainer(method.trainer)] if method.trainer else []
    return [*names, *([str(folders.survival(method))] if method.fit else [])]


def _parameters(method: Method, folders: BenchmarkFolders) -> int | None:
    """Return the largest number of any fold: statistical methods select their features in each."""
    seed = folders.settings.seeds[0]
    of_parts = [
        [
            (fold.summary.get("training") or {}).get("parameters")
            for fold in _folds(name, folders, seed)
            if fold.has_files(SUMMARY_FILE)
        ]
        for name in _fitted_or_trained(method, folders)
    ]
    known = [[number for number in numbers if number is not None] for numbers in of_parts]
    return sum(max(numbers) for numbers in known) if known and all(known) else None


def _seconds(method: Method, folders: BenchmarkFolders) -> float | None:
    names = _fitted_or_trained(method, folders)
    if method.starts_from_stage_one or not names:
        names.append(folders.trainer(method.stage_one))
    seed = folders.settings.seeds[0]
    of_folds = [
        [TrainedFold(folders.fold(name, fold, seed)).seconds for name in names]
        for fold in folders.settings.folds
    ]
    known = [[part for part in parts if part is not None] for parts in of_folds]
    if any(len(parts) < len(names) for parts in known):
        return None
    return float(np.mean([sum(parts) for parts in known]))


def _other_settings(method: Method, folders: BenchmarkFolders) -> list[str]:
    """Describe trainings and fits from before that count, but have other settings than this benchmark's."""
    compared: dict[str, Sequence[str]] = {}
    defaults: dict[str, Any] = {}
    if method.trainer:  # from whose risks a statistical method starts
        recipe = method.survival_recipe
        own: Sequence[str] = ()
        if recipe and recipe.objective == "discrete_time":
            own = _ADAMSS_SETTINGS
            defaults = {
                name: recipe.default_settings[name] for name in own if name in recipe.default_settings
            }
        compared[folders.trainer(method.trainer)] = (*_TRAINING_SETTINGS, *own)
    if method.fit:
        masks = () if method.chooses_masks else _MASK_SETTINGS
        # Version 0.1 put no limit on Lasso-CoxPH.
        limit = ("max_features",) if method.selects_features else ()
        compared[str(folders.survival(method))] = (*masks, "seed", "features_csv", *limit)
    seed = folders.settings.seeds[0]
    asked = folders.settings.config(folders.trainer(method.stage_one), seed).to_dict() | defaults
    differing: dict[str, list[str]] = {}
    for trainer, names in compared.items():
        of_network = "" if trainer == folders.survival(method) else f" of {trainer}"
        for fold in _folds(trainer, folders, seed):
            found = fold.summary["settings"] if fold.has_files(SUMMARY_FILE) else {}
            for name in names:
                if name in found and found[name] != asked[name]:
                    what = f"made before with {name} {found[name]}, not {asked[name]}"
                    differing.setdefault(f"{of_network} {what}", []).append(str(fold.number))
    return [f"{method.title}: fold {', '.join(numbers)}{what}." for what, numbers in differing.items()]


def _optimism(method: Method, folds: Sequence[TrainedFold]) -> list[str]:
    """Return notes on earlier uses of the patients in the tables."""
    notes = [f"{method.title}: {_OTHER_FOLDS}"] if method.needs_other_folds else []
    flattered = [str(fold.number) for fold in folds if fold.epoch_was_chosen_here]
    if flattered:
        notes.append(
            f"{method.title}: optimistic, since the epoch of fold {listed(flattered)} was chosen on the patients that "
            "are evaluated here."
        )
    return notes
