"""Results of fitting the covariates, as files and as a part of the summary."""

from pathlib import Path
from typing import Any

import pandas as pd

from nnunetv2_adamss.common.files import write_atomically
from nnunetv2_adamss.common.tables.csv_text import csv_text
from nnunetv2_adamss.survival.covariates.covariate_model import CovariateModel
from nnunetv2_adamss.survival.covariates.feature_selection import FeatureSelection
from nnunetv2_adamss.survival.covariates.fitting import CovariateReport
from nnunetv2_adamss.survival.covariates.selection_plot import plot_selection

HAZARD_RATIOS_FILE = "hazard_ratios.csv"
SELECTION_FILE, SELECTION_PLOT = "selected_features.csv", "selected_features.png"
COVARIATE_FILES = (HAZARD_RATIOS_FILE, SELECTION_FILE, SELECTION_PLOT)


def write_covariate_files(fold_folder: Path, report: CovariateReport) -> None:
    """Write hazard ratios, selected features and the LASSO path, as far as there are any."""
    if report.hazard_ratios:
        table = pd.DataFrame(list(report.hazard_ratios))
        write_atomically(fold_folder / HAZARD_RATIOS_FILE, csv_text(table, index=False, float_format="%.6g"))
    if report.selection is None:
        return
    selected = pd.DataFrame(_selected(report.selection), columns=["feature", "weight", "bootstrap_frequency"])
    write_atomically(fold_folder / SELECTION_FILE, csv_text(selected, index=False, float_format="%.6g"))
    if report.selection.path is not None:
        plot_selection(report.selection, fold_folder / SELECTION_PLOT)


def covariate_summary(model: CovariateModel, report: CovariateReport) -> dict[str, Any]:
    """The covariates of a model, for ``survival_summary.json``."""
    summary: dict[str, Any] = {
        "inputs": model.names,
        "clinical_indicators": [one.name for one in model.indicators],
        "notes": list(report.notes),
    }
    if report.only_cox is not None:
        summary["cox_weights"] = dict(zip(report.only_cox.names, report.only_cox.weights, strict=True))
    selection = report.selection
    if selection is not None:
        counts = ("n_candidates", "n_uncorrelated", "limit", "penalty", "reason")
        summary["feature_selection"] = {name: getattr(selection, name) for name in counts} | {
            "selected": _selected(selection)
        }
    return summary


def _selected(selection: FeatureSelection) -> list[dict[str, Any]]:
    figures = zip(selection.names, selection.weights, selection.bootstrap_frequency, strict=True)
    return [
        {"feature": name, "weight": weight, "bootstrap_frequency": frequency}
        for name, weight, frequency in figures
    ]
