"""Evaluate prediction files: the work of ``adamss_evaluate_survival``, for programs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from nnunetv2_adamss.common.progress import Progress, silent
from nnunetv2_adamss.evaluation.evaluate import EvaluationSettings, Other, evaluate
from nnunetv2_adamss.evaluation.evaluated_patients import Patients, match
from nnunetv2_adamss.evaluation.evaluation import Evaluation
from nnunetv2_adamss.evaluation.image_baselines import BASELINE_NAMES, baseline_scores, segmentation_dice
from nnunetv2_adamss.evaluation.prediction_files import FOLD, RISK_SCORE, read_predictions
from nnunetv2_adamss.evaluation.write_evaluation import provenance, write_evaluation
from nnunetv2_adamss.survival.cohort.description import DESCRIPTION_FILE
from nnunetv2_adamss.survival.cohort.survival_table import read_survival_table


@dataclass(frozen=True)
class EvaluationInputs:
    """Files and folders of an evaluation.

    Args:
        predictions: one file, or one for each fold of a cross-validation.
        survival_csv: the outcomes.
        compare: other predictions by name, one file or several folds each.
        masks: folder of tumour masks.
        images: folder of the images, for the highest uptake.
        labels: folder of reference masks, for Dice.
        pet_channel: number of the PET in ``images``; default by its name in ``dataset.json``.
        notes: to add to the results.
    """

    predictions: Sequence[Path]
    survival_csv: Path
    compare: Mapping[str, Sequence[Path]]
    masks: Path | None = None
    images: Path | None = None
    labels: Path | None = None
    pet_channel: int | None = None
    notes: Sequence[str] = ()


def evaluate_files(
    inputs: EvaluationInputs, settings: EvaluationSettings, output: Path, progress: Progress = silent
) -> tuple[Evaluation, list[Path]]:
    """Evaluate and write everything to a folder.

    Args:
        inputs: files and folders.
        settings: of the evaluation.
        output: folder of the results.
        progress: shows how far it is.

    Returns:
        The results and the files that were written.

    Raises:
        ValueError: if an input cannot be used, with all its faults.
    """
    predictions = read_predictions(inputs.predictions)
    survival = read_survival_table(inputs.survival_csv)
    patients = match(predictions, survival)
    others = [_read_other(name, files) for name, files in inputs.compare.items()]
    baselines = _baselines(inputs, patients, progress)
    if baselines is not None:
        others += [Other(BASELINE_NAMES[str(name)], scores) for name, scores in baselines.items()]
    evaluation = evaluate(
        patients,
        survival,
        settings,
        fold_names=fold_names(inputs.predictions),
        others=others,
        segmentation=segmentation_dice(inputs.masks, inputs.labels, progress)
        if inputs.masks and inputs.labels
        else [],
        notes=inputs.notes,
        progress=progress,
    )
    files = [
        *inputs.predictions,
        inputs.survival_csv,
        inputs.survival_csv.parent / DESCRIPTION_FILE,
        *(file for compared in inputs.compare.values() for file in compared),
    ]
    written = write_evaluation(
        output, evaluation, patients, settings, provenance=provenance(settings, files), baselines=baselines
    )
    return evaluation, written


def fold_names(files: Sequence[Path]) -> list[str]:
    """Name the folds by the number in nnU-Net's ``fold_N`` above each file, else by file names, else by paths."""
    numbers = [_fold_number(file) for file in files]
    for names in (numbers, [file.stem for file in files]):
        if all(names) and len(set(names)) == len(files):
            return names
    return [str(file) for file in files]


def _fold_number(file: Path) -> str:
    return next(
        (part.removeprefix("fold_") for part in reversed(file.parent.parts) if part.startswith("fold_")), ""
    )


def _read_other(name: str, files: Sequence[Path]) -> Other:
    table = read_predictions(files).table
    return Other(name, table[RISK_SCORE], table[FOLD] if len(files) > 1 else None)


def _baselines(inputs: EvaluationInputs, patients: Patients, progress: Progress) -> pd.DataFrame | None:
    if inputs.masks is None:
        return None
    return baseline_scores(patients.case_ids, inputs.masks, inputs.images, inputs.pet_channel, progress)
