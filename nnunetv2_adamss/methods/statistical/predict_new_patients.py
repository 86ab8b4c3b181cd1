"""Predict new patients with all folds of a statistical method together."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path

import numpy as np
import pandas as pd

from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.evaluation.image_baselines import baseline_scores, masked_cases
from nnunetv2_adamss.evaluation.prediction_files import read_predictions
from nnunetv2_adamss.methods.method import DEEP_RISK
from nnunetv2_adamss.methods.statistical.deep_predictions import check_deep_predictions
from nnunetv2_adamss.methods.statistical.fitted_model import FittedModel
from nnunetv2_adamss.metrics.volume_and_uptake import SUV_MAX, TUMOUR_VOLUME, tumour_volume_ml
from nnunetv2_adamss.prediction.patient_tables import read_clinical
from nnunetv2_adamss.survival.covariates.covariate_tables import CovariateTables
from nnunetv2_adamss.survival.covariates.number_table import join_number_tables, read_number_table
from nnunetv2_adamss.survival.nnunet_data.dataset_json import (
    find_dataset_json,
    ignore_label_of,
    read_dataset_json,
)
from nnunetv2_adamss.trained_folds.prediction import RiskPrediction, not_finite

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PatientInputs:
    """Data of the new patients; a method reports missing inputs, and predicts patients who are in all that it needs.

    Args:
        clinical: CSV of ``case_id`` and clinical columns.
        features: CSVs of ``case_id`` and numbers, such as ``adamss_extract_radiomics -o`` writes.
        deep_predictions: predictions by the deep method that some methods start from.
        images: folder of images as nnU-Net names them, for SUVmax; the ``dataset.json`` above it has their file ending.
        masks: folder of tumour masks, for volume and SUVmax.
    """

    clinical: Path | None = None
    features: Sequence[Path] = ()
    deep_predictions: Path | None = None
    images: Path | None = None
    masks: Path | None = None


def predict_statistical(model_folder: Path, folds: Sequence[int], inputs: PatientInputs) -> RiskPrediction:
    """Average over folds the risk in standard deviations of each fold's training cases.

    Args:
        model_folder: nnU-Net's, such as ``LassoCoxPH__nnUNetPlans__3d_fullres``.
        folds: their numbers.
        inputs: of the patients.

    Raises:
        ValueError: if a fold is not fitted, the method cannot predict new patients, a table or column that it needs is
            not there or not of the network that it was fitted on, or no patient is in all tables.
    """
    fitted = [FittedModel.load(model_folder / f"fold_{fold}") for fold in folds]
    method = fitted[0].method
    fit = method.statistical_fit
    if fit.masks == "deep" and method.trainer:
        raise ValueError(
            f"{method.title} cannot predict new patients: it needs the masks that {method.trainer.name} "
            "predicts of them, which no command writes."
        )
    indicators = [one for model in fitted for one in model.fold.covariates.indicators]
    clinical = read_clinical(inputs.clinical, indicators)
    features = {str(file): read_number_table(file) for file in inputs.features}
    tables = CovariateTables(clinical=clinical if indicators else None, features=join_number_tables(features))
    if fit.deep_risks:
        extra = _deep_risks(inputs, dict(zip(folds, fitted, strict=True)))
    else:
        extra = _tumour_sizes(fit.extra_columns, inputs)
    case_ids = _in_all([tables.clinical, *features.values(), extra if len(extra.columns) else None])
    extra = extra.loc[case_ids] if len(extra.columns) else pd.DataFrame(index=case_ids)
    risks = [
        (model.risk_score(tables, case_ids, extra) - model.mean_risk) / (model.risk_deviation or 1.0)
        for model in fitted
    ]
    return _finite_ones(RiskPrediction(case_ids, np.mean(risks, axis=0)))


def _finite_ones(prediction: RiskPrediction) -> RiskPrediction:
    """Drop the patients whose risk is not a finite number; a warning names them.

    Raises:
        ValueError: if no patient is left.
    """
    faulty = not_finite(prediction)
    if not faulty:
        return prediction
    fault = f"{len(faulty)} patient(s) cannot be predicted, since their risk is not a finite number: {listed(faulty)}."
    if len(faulty) == len(prediction.case_ids):
        raise ValueError(f"{fault} See their features and clinical values.")
    logger.warning("%s", fault)
    is_kept = np.isfinite(prediction.risk_score)
    return RiskPrediction(list(compress(prediction.case_ids, is_kept)), prediction.risk_score[is_kept])


def _deep_risks(inputs: PatientInputs, fitted: Mapping[int, FittedModel]) -> pd.DataFrame:
    """Read the new patients' risks by the weights that each fold was fitted on, by number of the fold."""
    if inputs.deep_predictions is None:
        raise ValueError("The method starts from a deep one: give its predictions with --deep FILE.csv.")
    table = read_predictions([inputs.deep_predictions]).table
    networks = {number: model.deep for number, model in fitted.items() if model.deep is not None}
    check_deep_predictions(inputs.deep_predictions, networks)
    return table[["risk_score"]].rename(columns={"risk_score": DEEP_RISK})


def _tumour_sizes(names: Sequence[str], inputs: PatientInputs) -> pd.DataFrame:
    if not names:
        return pd.DataFrame()
    if inputs.masks is None:
        raise ValueError(
            "The method measures the tumour: give the patients' masks with --masks, and for SUVmax images with -i."
        )
    if SUV_MAX in names and inputs.images is None:
        raise ValueError("SUVmax needs the patients' images: give their folder with -i.")
    dataset_json = find_dataset_json(inputs.images or inputs.masks, inputs.masks)
    description = read_dataset_json(dataset_json) if dataset_json else {}
    ending, ignore_label = description.get("file_ending", ".nii.gz"), ignore_label_of(description)
    case_ids = masked_cases(inputs.masks, ending)
    if SUV_MAX in names:
        return baseline_scores(case_ids, inputs.masks, inputs.images)[[SUV_MAX]]
    volumes = {
        case_id: tumour_volume_ml(inputs.masks / f"{case_id}{ending}", ignore_label) for case_id in case_ids
    }
    return pd.Series(volumes).to_frame(TUMOUR_VOLUME)


def _in_all(tables: Sequence[pd.DataFrame | None]) -> list[str]:
    """Return the patients with a row in every given table; a warning names the others."""
    indices = [set(map(str, table.index)) for table in tables if table is not None]
    if not indices:
        raise ValueError("There is nothing to predict from: give --clinical, --features, --deep or --masks.")
    everybody, common = set.union(*indices), set.intersection(*indices)
    if not common:
        raise ValueError("No patient is in all of the given tables.")
    missing = sorted(everybody - common)
    if missing:
        logger.warning(
            "%d patient(s) are missing in one of the given tables and not predicted: %s.",
            len(missing),
            listed(missing),
        )
    return sorted(common)
