"""Results of a trained fold: predictions of the validation cases, and their C-index."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnunetv2_adamss.common.files import write_atomically, write_json
from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.common.tables.csv_text import csv_text
from nnunetv2_adamss.display.words import with_interval
from nnunetv2_adamss.metrics.concordance import Concordance, bootstrap_harrell_c
from nnunetv2_adamss.survival.cohort.survival_table import SurvivalTable
from nnunetv2_adamss.survival.covariates.covariate_results import (
    covariate_summary,
    write_covariate_files,
)
from nnunetv2_adamss.survival.fold import SurvivalFold
from nnunetv2_adamss.survival.setup import SurvivalSetup
from nnunetv2_adamss.trained_folds.fold_files import (
    COVARIATES_ONLY_FILE,
    PREDICTIONS_FILE,
    SUMMARY_FILE,
    epoch_predictions_file,
)
from nnunetv2_adamss.trained_folds.prediction import RiskPrediction, SurvivalPrediction, not_finite

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class EpochPrediction:
    """Predictions of the validation cases by one epoch.

    Args:
        epoch: counted from 0.
        prediction: of the validation cases.
    """

    epoch: int
    prediction: SurvivalPrediction | RiskPrediction


def write_results(
    fold_folder: Path,
    setup: SurvivalSetup,
    epochs: Mapping[str, EpochPrediction],
    provenance: Mapping[str, Any],
) -> list[str]:
    """Write the predictions of every epoch, ``survival_summary.json``, and the results for covariates.

    Args:
        fold_folder: nnU-Net's folder of the fold.
        setup: of the training.
        epochs: ``last`` and, where there is one, ``best``; empty for fold ``all``.
        provenance: entries that identify the model.

    Returns:
        The results as lines for a log.

    Raises:
        ValueError: if the epoch that predicts gives a risk that is not finite.
    """
    fold, table = setup.fold, setup.table
    epochs = _finite_epochs(epochs, selected_epoch(fold, epochs), fold_folder)
    write_covariate_files(fold_folder, fold.covariate_report)
    baseline = _score_covariates_alone(fold_folder, setup)
    scores = {
        name: _score(epoch.prediction.risk_score, table, epoch.prediction.case_ids)
        for name, epoch in epochs.items()
    }
    is_chosen_here = fold.config.select != "inner"
    summary: dict[str, Any] = {
        **provenance,
        "endpoint": fold.endpoint,
        "time_unit": fold.time_unit,
        "interval_edges": list(fold.interval_edges),
        "cases": {part: _counts(table, cases) for part, cases in _parts(fold).items()},
        "settings": fold.config.to_dict(),
        "sources_sha256": dict(fold.sources),
        "predictions_from": selected_epoch(fold, epochs),
        "c_index": {
            name: {
                "epoch": epochs[name].epoch,
                **score.to_dict(),
                "selected_on_this_fold": name == "best" and is_chosen_here,
            }
            for name, score in scores.items()
        },
        "covariates": covariate_summary(fold.covariates, fold.covariate_report),
        "c_index_covariates_only": None if baseline is None else baseline.to_dict(),
        "versions": {name: version(name) for name in ("nnunetv2-adamss", "nnunetv2", "torch", "lifelines")},
    }
    if not epochs:
        summary["reason"] = (
            "no validation cases: fold 'all' trains on every case, so nothing is left to evaluate it on"
        )
    else:
        for name, epoch in epochs.items():
            epoch.prediction.write(fold_folder / epoch_predictions_file(name))
        epochs[selected_epoch(fold, epochs)].prediction.write(fold_folder / PREDICTIONS_FILE)
    write_json(fold_folder / SUMMARY_FILE, summary)
    return [
        *_lines(epochs, scores, is_chosen_here),
        *(
            []
            if baseline is None
            else [f"C-index of a Cox model on the covariates alone: {_words(baseline)}"]
        ),
        f"Results: {fold_folder / SUMMARY_FILE}",
    ]


def _finite_epochs(
    epochs: Mapping[str, EpochPrediction], selected: str, fold_folder: Path
) -> dict[str, EpochPrediction]:
    """The epochs whose risks are all finite; others leave no file."""
    finite = {}
    for name, epoch in epochs.items():
        faulty = not_finite(epoch.prediction)
        if not faulty:
            finite[name] = epoch
            continue
        fault = (
            f"The {name} epoch ({epoch.epoch}) gives no finite risk to {len(faulty)} validation case(s): "
            f"{listed(faulty)}."
        )
        if name == selected:
            raise ValueError(
                f"{fault} The training has diverged; see its log, and train again with another --seed."
            )
        logger.warning("%s It is left out of the results.", fault)
        (fold_folder / epoch_predictions_file(name)).unlink(missing_ok=True)
    return finite


def _score(risk_score: NDArray[np.float64], table: SurvivalTable, case_ids: Sequence[str]) -> Concordance:
    time, event = table.time_and_event(case_ids)
    return bootstrap_harrell_c(risk_score, event, time)


def _score_covariates_alone(fold_folder: Path, setup: SurvivalSetup) -> Concordance | None:
    """Score the validation cases by the Cox model on the covariates; None without cases or model."""
    fold, model = setup.fold, setup.fold.covariate_report.only_cox
    if model is None or not fold.validation_cases:
        return None
    risk_score = model.risk_score(fold.covariates.inputs(setup.covariates, fold.validation_cases))
    predictions = pd.DataFrame({"case_id": fold.validation_cases, "risk_score": risk_score})
    write_atomically(fold_folder / COVARIATES_ONLY_FILE, csv_text(predictions, index=False))
    return _score(risk_score, setup.table, fold.validation_cases)


def _parts(fold: SurvivalFold) -> dict[str, tuple[str, ...]]:
    inner = fold.scoring_cases if fold.config.select == "inner" else ()
    return {"training": fold.training_cases, "inner": inner, "validation": fold.validation_cases}


def _counts(table: SurvivalTable, case_ids: tuple[str, ...]) -> dict[str, int]:
    _, event = table.time_and_event(case_ids)
    return {"cases": len(case_ids), "events": int(event.sum())}


def selected_epoch(fold: SurvivalFold, epochs: Mapping[str, EpochPrediction]) -> str:
    """Return the epoch that predicts: ``best`` if the settings ask for it and it exists, else ``last``."""
    wanted = "last" if fold.config.select == "last" else "best"
    return wanted if wanted in epochs else "last"


def _lines(
    epochs: Mapping[str, EpochPrediction], scores: Mapping[str, Concordance], is_chosen_here: bool
) -> list[str]:
    lines = []
    for name, score in scores.items():
        note = " (selected on this fold: optimistic)" if name == "best" and is_chosen_here else ""
        lines.append(f"C-index of the {name} epoch ({epochs[name].epoch}): {_words(score, note)}")
    return lines or ["Fold 'all' trains on every case: no C-index."]


def _words(score: Concordance, note: str = "") -> str:
    value = "none" if score.c_index is None else with_interval(score.c_index, score.interval)
    reason = f"; {score.reason}" if score.reason else ""
    return f"{value}, {score.n_pairs} pairs{note}{reason}"
