"""Check everything that a benchmark rests on before its first step."""

import json
from pathlib import Path
from typing import Any

from nnunetv2_adamss.benchmark.folders import BenchmarkFolders
from nnunetv2_adamss.benchmark.settings import BenchmarkSettings
from nnunetv2_adamss.survival.cohort.splits_file import SPLITS_FILE
from nnunetv2_adamss.survival.cohort.table import SURVIVAL_CSV, read_survival_table
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.messages import listed
from nnunetv2_adamss.survival.nnunet_dataset import (
    PREPROCESSED,
    RAW,
    RESULTS,
    dataset_folder,
    preprocessed_cases,
    read_plans,
)


def begin(settings: BenchmarkSettings, output: Path) -> BenchmarkFolders:
    """Where everything of a benchmark lies; nothing is written.

    Raises:
        ValueError: if plan, split, outcomes, settings or test set do not serve, or ``output`` has another benchmark.
    """
    plans, _ = read_plans(settings.dataset, settings.plans)
    if settings.configuration not in plans["configurations"]:
        raise ValueError(
            f"There is no configuration '{settings.configuration}' in {settings.plans} of {settings.dataset}, only "
            f"{listed(list(plans['configurations']))}."
        )
    SurvivalConfig(**settings.masks, epochs=settings.epochs)
    splits = read_splits(settings.dataset)
    absent = [str(fold) for fold in settings.folds if fold >= len(splits)]
    if absent:
        raise ValueError(f"There is no fold {', '.join(absent)}: the split has {len(splits)} folds.")
    dataset_folder(RESULTS, settings.dataset)
    raw = dataset_folder(RAW, settings.dataset)
    outcomes = Path(settings.survival_csv) if settings.survival_csv else raw / SURVIVAL_CSV
    read_survival_table(outcomes, preprocessed_cases(dataset_folder(PREPROCESSED, settings.dataset)))
    if settings.test is not None:
        _check_test_set(dataset_folder(RAW, settings.test))
    settings.check(output)
    return BenchmarkFolders(settings, str(plans["plans_name"]), output)


def read_splits(dataset: str) -> list[dict[str, Any]]:
    """nnU-Net's split of a data set.

    Raises:
        ValueError: if there is none yet.
    """
    file = dataset_folder(PREPROCESSED, dataset) / SPLITS_FILE
    if not file.is_file():
        raise ValueError(
            f"There is no {file}, so it is not known what the folds are; run adamss_make_splits."
        )
    splits: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return splits


def _check_test_set(raw: Path) -> None:
    needed = [raw / "imagesTr", raw / "labelsTr", raw / "dataset.json", raw / SURVIVAL_CSV]
    missing = [path.name for path in needed if not path.exists()]
    if missing:
        raise ValueError(
            f"{raw} is no test set with images, outlines and outcomes: there is no {listed(missing)}."
        )
    read_survival_table(raw / SURVIVAL_CSV)
