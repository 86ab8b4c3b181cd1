"""Predictions and summaries as finished trainings leave them, and the tables' way to them."""

import json

import numpy as np
import pandas as pd

from nnunetv2_adamss.benchmark.benchmark_settings import BenchmarkSettings
from nnunetv2_adamss.benchmark.collect import Collection
from nnunetv2_adamss.benchmark.folders import BenchmarkFolders
from nnunetv2_adamss.methods.table import choose_methods
from tests.benchmark.project import DATASET, FOLDS, FakeBenchmark

SUMMARY = {
    "settings": {"seed": 2024, "epochs": None},
    "training": {"seconds": 3600.0, "parameters": 1000},
    "predictions_from": "last",
    "c_index": {"last": {"selected_on_this_fold": False}},
}


def write_fold(project: FakeBenchmark, trainer: str, fold: int, wrong: int = 0, **summary: object) -> None:
    """A fold whose risks are right, but for the first so many neighbours that change places."""
    cases = list(FOLDS[fold])
    for place in range(0, 2 * wrong, 2):
        cases[place], cases[place + 1] = cases[place + 1], cases[place]
    folder = project.fold(trainer, fold)
    (folder / "validation").mkdir(parents=True)
    # Scores of different folds do not compare.
    table = pd.DataFrame({"case_id": cases, "risk_score": 1000.0 * fold - np.arange(len(cases))})
    table.to_csv(folder / "validation" / "survival_predictions.csv", index=False)
    (folder / "survival_summary.json").write_text(json.dumps(SUMMARY | summary))


def write_method(project: FakeBenchmark, trainer: str, *wrong: int, **summary: object) -> None:
    for fold, of_fold in enumerate(wrong):
        write_fold(project, trainer, fold, of_fold, **summary)


def collect(project: FakeBenchmark, *names: str, **settings: object) -> Collection:
    given = BenchmarkSettings(DATASET, "3d_fullres", **({"folds": (0, 1)} | settings))  # type: ignore[arg-type]
    return Collection(BenchmarkFolders(given, "nnUNetPlans", project.output), choose_methods(names))
