"""Find the predictions of a finished cross-validation where the survival trainer leaves them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnunetv2_adamss.survival.cohort.table import SURVIVAL_CSV
from nnunetv2_adamss.survival.messages import listed
from nnunetv2_adamss.survival.nnunet_dataset import RAW, RESULTS, dataset_folder, dataset_name
from nnunetv2_adamss.survival.results import COVARIATES_ONLY_FILE, PREDICTIONS_FILE, SUMMARY_FILE


@dataclass(frozen=True)
class FinishedFolds:
    """What a cross-validation left.

    Args:
        predictions: one file a fold.
        covariates_only: of the Cox model on the covariates alone; empty unless every fold has one.
        survival_csv: the outcomes.
        notes: what to bear in mind when reading the results.
    """

    predictions: list[Path]
    covariates_only: list[Path]
    survival_csv: Path
    notes: list[str]


def find_folds(
    dataset: str,
    configuration: str,
    trainer: str,
    plans: str,
    folds: Sequence[int],
    *,
    survival_csv: Path | None = None,
) -> FinishedFolds:
    """Find the folds.

    Args:
        dataset: id or name.
        configuration: such as ``3d_fullres``.
        trainer: of Stage II.
        plans: identifier.
        folds: their numbers.
        survival_csv: the outcomes; default those that the folds were trained on.

    Raises:
        ValueError: if a fold is not finished, or folds were trained on different tables and none is given.
    """
    name = dataset_name(dataset)
    model = dataset_folder(RESULTS, name) / f"{trainer}__{plans}__{configuration}"
    folders = [model / f"fold_{fold}" for fold in folds]
    missing = [
        str(folder / PREDICTIONS_FILE) for folder in folders if not (folder / PREDICTIONS_FILE).is_file()
    ]
    if missing:
        raise ValueError(
            f"These folds are not finished, or lie elsewhere (-tr, -p_id): there is no {listed(missing)}. Name the "
            "finished ones with -f."
        )
    covariates_only = [folder / COVARIATES_ONLY_FILE for folder in folders]
    summaries = [json.loads((folder / SUMMARY_FILE).read_text(encoding="utf-8")) for folder in folders]
    flattered = [
        str(fold) for fold, summary in zip(folds, summaries, strict=True) if _is_chosen_on_its_fold(summary)
    ]
    return FinishedFolds(
        [folder / PREDICTIONS_FILE for folder in folders],
        covariates_only if all(file.is_file() for file in covariates_only) else [],
        survival_csv or _table_of_all(summaries, dataset_folder(RAW, name) / SURVIVAL_CSV),
        [f"Optimistic: the epoch of fold {listed(flattered)} was chosen on the patients that are evaluated."]
        if flattered
        else [],
    )


def _table_of_all(summaries: Sequence[dict[str, Any]], default: Path) -> Path:
    files = sorted({str(summary["settings"].get("survival_csv") or default) for summary in summaries})
    if len(files) > 1:
        raise ValueError(f"The folds were trained on different tables ({listed(files)}); choose one with -s.")
    return Path(files[0])


def _is_chosen_on_its_fold(summary: dict[str, Any]) -> bool:
    return bool(summary["c_index"][summary["predictions_from"]]["selected_on_this_fold"])
