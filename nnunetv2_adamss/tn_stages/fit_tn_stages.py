"""Fit the T and N stage on the out-of-fold masks of a cross-validation."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from joblib import delayed

from nnunetv2_adamss.common.case_names import CASE_ID
from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.common.parallel import in_parallel
from nnunetv2_adamss.common.tables.cell_faults import (
    case_id_faults,
    missing_column_faults,
    repeated_column_faults,
)
from nnunetv2_adamss.common.tables.csv_cells import read_cells
from nnunetv2_adamss.common.tables.faults import FileFaultsError
from nnunetv2_adamss.survival.nnunet_data.dataset import channel_names, raw_images
from nnunetv2_adamss.survival.nnunet_data.modalities import find_channel
from nnunetv2_adamss.tn_stages.lesion_measures import measure_case
from nnunetv2_adamss.tn_stages.out_of_fold_masks import OutOfFoldMasks
from nnunetv2_adamss.tn_stages.stage_evaluation import StageCases, StageResult
from nnunetv2_adamss.tn_stages.stage_model import StageModel
from nnunetv2_adamss.tn_stages.stage_names import COLUMNS_ABOUT_STAGES, STAGE_COLUMNS, read_stages
from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class StageFit:
    """Results of a fit.

    Args:
        file: ``tn_stages.json`` in the model's folder.
        results: by ``T`` and ``N``.
    """

    file: Path
    results: Mapping[str, StageResult]


def fit_tn_stages(
    validation: CrossValidation,
    stages_csv: Path | None = None,
    masks_dir: Path | None = None,
    *,
    num_processes: int = 1,
    on_start: Callable[[int], object] = lambda n_cases: None,
    on_case_done: Callable[[str], object] = lambda case_id: None,
) -> StageFit:
    """Fit both stages to all validation cases, evaluate them by the folds, and write ``tn_stages.json``.

    Args:
        validation: of the survival model, two folds or more.
        stages_csv: ``case_id``, ``t_stage`` and ``n_stage``; None for the survival table.
        masks_dir: out-of-fold masks; None for those that the folds predicted.
        num_processes: cases in parallel.
        on_start: called with the number of cases.
        on_case_done: called with each case, in the order in which they are measured.

    Raises:
        ValueError: if a table, a mask or an image cannot be used, or too few cases are known of a stage.
    """
    stages = _read_stages(validation, stages_csv)
    fold_of_case = _folds(validation)
    staged = set().union(*(of_cases.index for of_cases in stages.values()))
    known = [one for one in fold_of_case.index if one in staged]
    if left_out := sorted(staged - set(known)):
        logger.warning(
            "%d case(s) with a stage are left out, since no fold validates them; they have no outcome, or are not in "
            "the data set: %s", len(left_out), listed(left_out),
        )  # fmt: skip
    masks = OutOfFoldMasks.find(validation, {one: fold_of_case[one] for one in known}, masks_dir)
    on_start(len(known))
    labels = _labels(validation)
    lesions = _measure(masks.files, _cts(validation, known), labels, num_processes, on_case_done)
    classifiers, results = {}, {}
    for letter, of_cases in stages.items():
        cases = _cases(validation, of_cases, lesions, fold_of_case)
        try:
            results[letter], classifiers[letter] = StageResult.of(cases), cases.fit()
        except ValueError as error:
            raise ValueError(f"The {letter} stage cannot be fitted: {error}.") from error
    model = StageModel(labels, classifiers, masks.sha256)
    file = model.write(validation.model_folder, {letter: one.to_dict() for letter, one in results.items()})
    return StageFit(file, results)


def _read_stages(validation: CrossValidation, stages_csv: Path | None) -> dict[str, pd.Series]:
    """Known stages by ``case_id``, of ``T`` and ``N``."""
    file = stages_csv or validation.table.path
    table = validation.table.texts if stages_csv is None else _read_table(stages_csv)
    missing = [name for name in STAGE_COLUMNS.values() if name not in table]
    if missing:
        raise ValueError(
            f"{file} has no column {' and no column '.join(missing)}. Give the stages with --stages FILE.csv: "
            f"{CASE_ID}, {', '.join(STAGE_COLUMNS.values())}."
        )
    return {letter: read_stages(table[column], letter, file) for letter, column in STAGE_COLUMNS.items()}


def _read_table(stages_csv: Path) -> pd.DataFrame:
    cells = read_cells(stages_csv)
    faults = missing_column_faults(cells.columns, [CASE_ID]) or repeated_column_faults(cells.columns)
    if faults := faults or case_id_faults(cells[CASE_ID]):
        raise FileFaultsError(stages_csv, faults)
    return cells.set_index(CASE_ID)


def _folds(validation: CrossValidation) -> pd.Series:
    """Number of the fold that validates each case, in the order of the folds."""
    if len(validation.folds) < 2:
        raise ValueError("Stages need two folds or more, so that each can be predicted by the others.")
    case_ids = validation.out_of_fold("last").case_ids
    validation.table.has_outcome(case_ids)  # raises if a case has no row
    numbers = [validation.folds[place].number for place in validation.fold_of_cases("last")]
    return pd.Series(numbers, index=case_ids)


def _labels(validation: CrossValidation) -> dict[str, tuple[int, ...]]:
    return {
        name: tuple(value) if isinstance(value, list) else (value,)
        for name, value in validation.dataset_json["labels"].items()
        if name != "ignore" and value != 0
    }


def _cts(validation: CrossValidation, case_ids: Sequence[str]) -> dict[str, Path]:
    images = raw_images(validation.raw_folder)
    missing = [case_id for case_id in case_ids if case_id not in images]
    if missing:
        raise ValueError(f"The images of {listed(missing)} are not in {validation.raw_folder}.")
    channel = find_channel(channel_names(validation.dataset_json), "CT")
    return {case_id: Path(images[case_id]["images"][channel]) for case_id in case_ids}


def _measure(
    masks: Mapping[str, Path],
    cts: Mapping[str, Path],
    labels: Mapping[str, Sequence[int]],
    num_processes: int,
    on_case_done: Callable[[str], object],
) -> pd.DataFrame:
    tasks = [delayed(_measure_one)(case_id, masks[case_id], cts[case_id], labels) for case_id in masks]
    found, faults = {}, []
    for case_id, measures, fault in in_parallel(tasks, num_processes):
        found[case_id] = measures
        faults += [f"{case_id}: {fault}"] if fault else []
        on_case_done(case_id)
    if faults:
        raise ValueError(
            f"The lesions of {len(faults)} case(s) cannot be measured: {listed(sorted(faults))}."
        )
    return pd.DataFrame.from_dict(found, orient="index").loc[list(masks)]


def _measure_one(
    case_id: str, mask: Path, ct: Path, labels: Mapping[str, Sequence[int]]
) -> tuple[str, dict[str, float], str]:
    """Case, its measures, and what is wrong with it: an error would stop the other processes."""
    try:
        return case_id, measure_case(mask, ct, labels), ""
    except ValueError as error:
        return case_id, {}, str(error).rstrip(".")


def _cases(
    validation: CrossValidation, stages: pd.Series, lesions: pd.DataFrame, fold_of_case: pd.Series
) -> StageCases:
    table = validation.table
    hidden = {*COLUMNS_ABOUT_STAGES, table.description.group_column}
    clinical = table.clinical[[name for name in table.clinical if name not in hidden]]
    rows = fold_of_case.index[fold_of_case.index.isin(stages.index)]
    return StageCases(
        stages.loc[rows], lesions.loc[rows], clinical.loc[rows], table.column_types, fold_of_case.loc[rows]
    )
