"""Check all inputs of a benchmark before its first step."""

from collections.abc import Sequence
from pathlib import Path

from nnunetv2_adamss.benchmark.benchmark_settings import BenchmarkSettings
from nnunetv2_adamss.benchmark.folders import BenchmarkFolders
from nnunetv2_adamss.benchmark.present_cohort import splits_of
from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.methods.method import Method
from nnunetv2_adamss.survival.cohort.outcomes_path import SURVIVAL_CSV
from nnunetv2_adamss.survival.cohort.splits_file import SPLITS_FILE, split_of_fold
from nnunetv2_adamss.survival.cohort.survival_table import SurvivalTable, read_survival_table
from nnunetv2_adamss.survival.nnunet_data.dataset import (
    PREPROCESSED,
    RAW,
    RESULTS,
    dataset_folder,
    preprocessed_cases,
    read_plans,
)
from nnunetv2_adamss.survival.nnunet_data.dataset_json import read_dataset_json
from nnunetv2_adamss.survival.nnunet_data.plan_stages import check_three_dimensional
from nnunetv2_adamss.survival.nnunet_data.plans_file import check_configuration
from nnunetv2_adamss.survival.tumour_region.mask_source import GivenMasks, fold_that_validates
from nnunetv2_adamss.trained_folds.fold_files import CHECKPOINTS


def begin(settings: BenchmarkSettings, methods: Sequence[Method], output: Path) -> BenchmarkFolders:
    """Check all inputs and return the folders of the benchmark; write nothing.

    Raises:
        ValueError: if plan, split, outcomes, settings or test set cannot be used, or ``output`` has another benchmark.
    """
    preprocessed = dataset_folder(PREPROCESSED, settings.dataset)
    plans_name = _check_plans(settings)
    dataset_folder(RESULTS, settings.dataset)
    splits = splits_of(settings.dataset)
    for fold in settings.folds:
        split_of_fold(preprocessed, fold)
    cases = preprocessed_cases(preprocessed)
    survival = read_survival_table(settings.outcomes, cases)
    folders = BenchmarkFolders(settings, plans_name, output)
    with_outcome = [case_id for case_id in cases if case_id not in survival.without_outcome]
    _check_masks(folders, methods, with_outcome, len(splits))
    if settings.test is not None:
        _check_test_set(dataset_folder(RAW, settings.test), survival)
    settings.check(output)
    return folders


def _check_plans(settings: BenchmarkSettings) -> str:
    """Check plans and configuration, and return the plans' name as the file states it."""
    plans, _ = read_plans(settings.dataset, settings.plans)
    check_configuration(plans, settings.configuration)
    check_three_dimensional(plans, settings.configuration)
    return str(plans["plans_name"])


def _check_masks(
    folders: BenchmarkFolders, methods: Sequence[Method], cases: Sequence[str], n_splits: int
) -> None:
    settings = folders.settings
    if settings.mask_source == "out_of_fold":
        fold_that_validates(cases, dataset_folder(PREPROCESSED, settings.dataset) / SPLITS_FILE)
    stages_one = {folders.trainer(method.stage_one) for method in methods}
    for trainer in stages_one:
        settings.config(trainer, settings.seeds[0])  # refuses values that are not allowed
    if settings.masks_dir is not None:
        dataset_json = dataset_folder(PREPROCESSED, settings.dataset) / "dataset.json"
        ending = read_dataset_json(dataset_json, "file_ending")["file_ending"]
        GivenMasks(settings.masks_dir, ending).check(cases)
    # Checks masks only of a Stage I that is still to be trained; otherwise the existing masks count.
    if settings.seg_checkpoint not in CHECKPOINTS.values():
        files = [
            folders.fold(trainer, fold, seed) / settings.seg_checkpoint
            for seed in settings.seeds
            for trainer in sorted(stages_one)
            for fold in (range(n_splits) if settings.mask_source == "out_of_fold" else settings.folds)
        ]
        missing = [str(file) for file in files if not file.is_file()]
        if missing:
            raise ValueError(
                f"Stage I leaves {' and '.join(CHECKPOINTS.values())}, but -seg_chk is {settings.seg_checkpoint}, and "
                f"{len(missing)} such file(s) are not there: {listed(missing)}."
            )


def _check_test_set(raw: Path, survival: SurvivalTable) -> None:
    needed = [raw / "imagesTr", raw / "labelsTr", raw / "dataset.json", raw / SURVIVAL_CSV]
    missing = [path.name for path in needed if not path.exists()]
    if missing:
        raise ValueError(
            f"{raw} is not a test set with images, masks and outcomes: it has no {listed(missing)}."
        )
    read_dataset_json(raw / "dataset.json", "file_ending", "labels")
    test = read_survival_table(raw / SURVIVAL_CSV)
    shared = sorted(set(survival.case_ids).intersection(test.case_ids))
    if shared:
        raise ValueError(
            f"Test patients must not be of the data set that the networks are trained on, but {raw} shares "
            f"{len(shared)} case(s) with it: {listed(shared)}."
        )
    columns = [str(name) for name in survival.clinical if name != survival.description.group_column]
    lacking = [name for name in columns if name not in test.clinical]
    if lacking:
        raise ValueError(
            f"{test.path} lacks clinical columns that methods may use, since the training patients have them: "
            f"{listed(lacking)}. Add them; a value that is not known may be left empty."
        )
