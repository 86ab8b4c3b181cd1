"""Check everything that a benchmark rests on before its first step."""

from collections.abc import Collection
from pathlib import Path

from nnunetv2_adamss.benchmark.cohort import read_splits
from nnunetv2_adamss.benchmark.folders import BenchmarkFolders
from nnunetv2_adamss.benchmark.settings import BenchmarkSettings
from nnunetv2_adamss.survival.cohort.table import SURVIVAL_CSV, read_survival_table
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.messages import listed
from nnunetv2_adamss.survival.nnunet_data.dataset import (
    PREPROCESSED,
    RAW,
    RESULTS,
    dataset_folder,
    preprocessed_cases,
    read_plans,
)
from nnunetv2_adamss.survival.nnunet_data.plan_stages import check_three_dimensional


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
    check_three_dimensional(plans, settings.configuration)
    SurvivalConfig(**settings.masks, epochs=settings.epochs)
    splits = read_splits(settings.dataset)
    absent = [str(fold) for fold in settings.folds if fold >= len(splits)]
    if absent:
        raise ValueError(f"There is no fold {', '.join(absent)}: the split has {len(splits)} folds.")
    dataset_folder(RESULTS, settings.dataset)
    cases = preprocessed_cases(dataset_folder(PREPROCESSED, settings.dataset))
    read_survival_table(settings.outcomes, cases)
    if settings.test is not None:
        _check_test_set(dataset_folder(RAW, settings.test), cases)
    settings.check(output)
    return BenchmarkFolders(settings, str(plans["plans_name"]), output)


def _check_test_set(raw: Path, training_cases: Collection[str]) -> None:
    needed = [raw / "imagesTr", raw / "labelsTr", raw / "dataset.json", raw / SURVIVAL_CSV]
    missing = [path.name for path in needed if not path.exists()]
    if missing:
        raise ValueError(
            f"{raw} is no test set with images, outlines and outcomes: there is no {listed(missing)}."
        )
    shared = sorted(set(training_cases).intersection(read_survival_table(raw / SURVIVAL_CSV).case_ids))
    if shared:
        raise ValueError(
            f"Test patients must not be of the data set that the networks are trained on, but {raw} shares "
            f"{len(shared)} case(s) with it: {listed(shared)}."
        )
