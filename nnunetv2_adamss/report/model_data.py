"""The model of a report, and the features that the report shows."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from nnunetv2_adamss.datasets.phantom.writer import MARKER
from nnunetv2_adamss.survival.covariates.number_table import read_number_table
from nnunetv2_adamss.survival.covariates.radiomics_table import radiomics_file
from nnunetv2_adamss.survival.nnunet_data.dataset import model_folder
from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation
from nnunetv2_adamss.trained_folds.fold_masks import stage_one_of
from nnunetv2_adamss.trained_folds.summary_file import OF_REPORT
from nnunetv2_adamss.trained_folds.trained_fold import TrainedFold


def find_model(
    dataset: str, configuration: str, trainer: str, plans_name: str, folds: Sequence[int | str] | None = None
) -> CrossValidation:
    """Find a trained survival model in nnU-Net's results folder.

    Args:
        dataset: nnU-Net's id or name.
        configuration: such as ``3d_fullres``.
        trainer: of Stage II.
        plans_name: such as ``nnUNetPlans``.
        folds: default all numbered ones that are trained.

    Raises:
        ValueError: if the model does not exist, a given fold is not trained, or its summary is not complete.
    """
    model = CrossValidation.find(model_folder(dataset, trainer, plans_name, configuration), folds)
    for fold in model.folds:
        fold.summary_with(*OF_REPORT)
    return model


def is_synthetic(model: CrossValidation) -> bool:
    """Return True if the data set is a phantom data set of this package."""
    return (model.raw_folder / MARKER).is_file()


def selected_features(model: CrossValidation, fold: TrainedFold) -> pd.DataFrame:
    """Return the radiomics and own features that a fold's network gets, by ``case_id``, as they were measured.

    Features of missing tables are left out.
    """
    config, stage_one = stage_one_of(model, fold)
    files = [radiomics_file(stage_one, config), *map(Path, config.features_csv)]
    tables = [read_number_table(file) for file in files if file.is_file()]
    covariates = fold.summary.get("covariates") or {}
    selected = (covariates.get("feature_selection") or {}).get("selected", [])
    names = [one["feature"] for one in selected]
    return pd.concat([table.filter(names) for table in tables], axis=1) if tables else pd.DataFrame()
