"""Fit a statistical method on a fold and predict its validation cases, as a survival training does."""

import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import pandas as pd
from nnunetv2.utilities.file_path_utilities import get_output_folder

from nnunetv2_adamss.common.device import torch_device
from nnunetv2_adamss.common.files import write_json
from nnunetv2_adamss.methods.method import Method
from nnunetv2_adamss.methods.statistical.deep_method import DeepMethod
from nnunetv2_adamss.methods.statistical.fitted_model import FittedModel
from nnunetv2_adamss.methods.statistical.risk_model import TrainingInputs, risk_of
from nnunetv2_adamss.methods.statistical.tumour_sizes import tumour_sizes
from nnunetv2_adamss.methods.table import STATISTICAL, results_name
from nnunetv2_adamss.radiomics.fold_radiomics import read_fold
from nnunetv2_adamss.radiomics.missing import extract_missing_radiomics
from nnunetv2_adamss.survival.cohort.survival_table import SurvivalTable
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.covariates.covariate_tables import CovariateTables, CovariateUse
from nnunetv2_adamss.survival.covariates.scaling import Scaling
from nnunetv2_adamss.survival.fold import SurvivalFold
from nnunetv2_adamss.survival.nnunet_data.dataset import dataset_name, model_folder
from nnunetv2_adamss.survival.nnunet_data.nnunet_fold import NnunetFold
from nnunetv2_adamss.survival.setup import SurvivalSetup
from nnunetv2_adamss.trained_folds.fold_files import MODEL_FILE, PREDICTIONS_FILE, SUMMARY_FILE
from nnunetv2_adamss.trained_folds.fold_results import EpochPrediction, write_results
from nnunetv2_adamss.trained_folds.prediction import RiskPrediction

logger = logging.getLogger(__name__)

# Section 4.3: traditional methods take radiomics from the ground-truth regions.
_REFERENCE_MASKS = {"mask_source": "groundtruth", "masks_dir": None}


@dataclass(frozen=True)
class FitRequest:
    """One method on one fold.

    Args:
        dataset: nnU-Net's name or id.
        configuration: such as ``3d_fullres``.
        fold: number of the fold.
        method: name, of ``STATISTICAL``.
        settings: those of ``SurvivalConfig`` that the user set, by name; the method's own take precedence.
        plans: plans identifier.
        deep_trainer: network whose risks the method starts from; default with the publication's schedule.
        device: where missing masks are predicted.
        overwrite: replace a fit that is there already.
    """

    dataset: str
    configuration: str
    fold: int
    method: str
    settings: Mapping[str, Any]
    plans: str = "nnUNetPlans"
    deep_trainer: str | None = None
    device: str = "cuda"
    overwrite: bool = False


def fit_statistical(request: FitRequest) -> list[str]:
    """Fit, predict the validation cases, and write model, predictions and summary.

    Returns:
        The results as readable lines.

    Raises:
        ValueError: if the request cannot be met, before anything except masks and radiomics is written.
    """
    method = STATISTICAL[request.method]
    fit = method.statistical_fit
    name = dataset_name(request.dataset)
    nnunet_fold = read_fold(name, request.plans, request.configuration, request.fold)
    folder = _fold_folder(request, nnunet_fold)
    if (folder / SUMMARY_FILE).is_file() and not request.overwrite:
        raise ValueError(f"{folder} holds a fit already; fit again with --overwrite.")
    torch_device(request.device, "predict masks")
    deep = _deep_method(request, method, nnunet_fold)
    config = _prepare(request, method, nnunet_fold, folder, deep)
    start = perf_counter()
    setup = SurvivalSetup.begin(nnunet_fold, config, nnunet_fold.split(), fit.covariate_use)
    seconds = perf_counter() - start
    extra = _extra_columns(request, method, nnunet_fold, setup, deep)
    start = perf_counter()
    fitted = fit_fold(method, setup.fold, setup.table, setup.covariates, extra)
    seconds += perf_counter() - start
    fitted = replace(fitted, deep=None if deep is None else deep.network)
    cases = setup.fold.validation_cases
    prediction = RiskPrediction(cases, fitted.risk_score(setup.covariates, cases, extra.loc[list(cases)]))
    # Predictions of an earlier fit must not stay while the summary is missing.
    (folder / SUMMARY_FILE).unlink(missing_ok=True)
    shutil.rmtree((folder / PREDICTIONS_FILE).parent, ignore_errors=True)
    write_json(folder / MODEL_FILE, fitted.to_dict(), indent=None)
    provenance = {
        "dataset": name,
        "trainer": folder.parent.name.split("__")[0],
        "plans": nnunet_fold.plans["plans_name"],
        "configuration": request.configuration,
        "fold": request.fold,
        "training": {"seconds": seconds, "parameters": fitted.model.n_parameters},
    }
    return write_results(folder, setup, {"last": EpochPrediction(0, prediction)}, provenance)


def fit_fold(
    method: Method,
    fold: SurvivalFold,
    table: SurvivalTable,
    tables: CovariateTables,
    extra: pd.DataFrame,
) -> FittedModel:
    """Fit a method on the training cases of a fold.

    Args:
        method: which.
        fold: with its covariates fitted.
        table: outcomes.
        tables: covariates of its cases.
        extra: the method's own columns of all cases, indexed by ``case_id``.
    """
    cases = list(fold.training_cases)
    time, event = table.time_and_event(cases)
    fit = method.statistical_fit
    features = Scaling.fit(tables.features_of(cases)) if fit.all_features else Scaling()
    training = TrainingInputs(
        covariates=fold.covariates.inputs(tables, cases),
        features=features.apply(tables.features_of(cases)) if features.names else pd.DataFrame(index=cases),
        extra=extra.loc[cases],
        event=event,
        time=time,
        seed=fold.config.seed,
    )
    model = risk_of(fit).fit(training)
    risks = model.risk_score(pd.concat([training.features, training.covariates, training.extra], axis=1))
    return FittedModel(method, fold, features, model, float(risks.mean()), float(risks.std()))


def _fold_folder(request: FitRequest, nnunet_fold: NnunetFold) -> Path:
    name, plans = nnunet_fold.plans["dataset_name"], nnunet_fold.plans["plans_name"]
    method = results_name(request.method, request.deep_trainer)
    return Path(get_output_folder(name, method, plans, request.configuration, request.fold))


def _deep_method(request: FitRequest, method: Method, nnunet_fold: NnunetFold) -> DeepMethod | None:
    """Find the network that the method starts from; None for most."""
    kind = method.statistical_fit.deep_risks
    if method.trainer is None or kind is None:
        return None
    trainer = request.deep_trainer or method.trainer.name
    folder = model_folder(request.dataset, trainer, request.plans, request.configuration)
    # Outcomes do not depend on masks and covariates, which may be missing yet.
    config = SurvivalConfig.from_dict({**request.settings, **_REFERENCE_MASKS, "features_csv": ()})
    nothing = CovariateUse(radiomics=False, clinical=False)
    setup = SurvivalSetup.begin(nnunet_fold, config, nnunet_fold.split(), nothing)
    return DeepMethod.find(kind, folder, nnunet_fold, setup)


def _prepare(
    request: FitRequest,
    method: Method,
    nnunet_fold: NnunetFold,
    folder: Path,
    deep: DeepMethod | None,
) -> SurvivalConfig:
    """Make masks and radiomics that are missing; return the settings of the fit."""
    fit = method.statistical_fit
    settings = {**request.settings, **fit.settings}
    if fit.masks == "reference":
        settings |= _REFERENCE_MASKS
    elif fit.masks == "deep" and deep is not None:
        masks = folder.parent / f"masks_of_{deep.trained.trainer}"
        deep.gather_masks(masks, nnunet_fold.file_ending)
        settings |= {"mask_source": "folder", "masks_dir": str(masks)}
    config = SurvivalConfig.from_dict(settings)
    if fit.covariate_use.radiomics:
        setup = SurvivalSetup.before_fitting(nnunet_fold, config, nnunet_fold.split(), fit.covariate_use)
        extract_missing_radiomics(nnunet_fold, setup, request.device)
    return config


def _extra_columns(
    request: FitRequest,
    method: Method,
    nnunet_fold: NnunetFold,
    setup: SurvivalSetup,
    deep: DeepMethod | None,
) -> pd.DataFrame:
    case_ids = setup.fold.all_cases
    if deep is not None:
        return deep.risks(case_ids)
    if not method.measures_tumour:
        return pd.DataFrame(index=case_ids)
    return tumour_sizes(
        method.statistical_fit.extra_columns, setup.masks, nnunet_fold, case_ids, request.device
    )
