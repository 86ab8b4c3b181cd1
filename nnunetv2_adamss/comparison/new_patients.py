"""Predict new patients with a statistical method: all folds together."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from nnunetv2_adamss.assessment.baselines import SUV_MAX as MEASURED_SUV_MAX
from nnunetv2_adamss.assessment.baselines import baseline_scores, masked_cases
from nnunetv2_adamss.assessment.predictions import read_predictions
from nnunetv2_adamss.comparison.fitted_model import FittedModel
from nnunetv2_adamss.comparison.methods import DEEP_RISK, SUV_MAX, TUMOUR_VOLUME
from nnunetv2_adamss.evaluation.baselines import tumour_volume_ml
from nnunetv2_adamss.prediction.patient_tables import read_clinical
from nnunetv2_adamss.survival.covariates.covariate_tables import CovariateTables
from nnunetv2_adamss.survival.covariates.number_table import join_number_tables, read_number_table
from nnunetv2_adamss.survival.messages import listed
from nnunetv2_adamss.survival.nnunet_data.dataset_json import find_dataset_json, read_dataset_json
from nnunetv2_adamss.survival.results.prediction import RiskPrediction

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PatientFiles:
    """What is known of the new patients; a method says what it misses, and predicts who is in all that it needs.

    Args:
        clinical: CSV of ``case_id`` and clinical columns.
        features: CSVs of ``case_id`` and numbers, such as ``adamss_extract_radiomics -o`` writes.
        deep_predictions: what the deep method that some methods go on with says of them.
        images: folder of images as nnU-Net names them, for SUVmax; the ``dataset.json`` above it tells how files end.
        masks: folder of tumour masks, for volume and SUVmax.
    """

    clinical: Path | None = None
    features: Sequence[Path] = ()
    deep_predictions: Path | None = None
    images: Path | None = None
    masks: Path | None = None


def predict_statistical(model_folder: Path, folds: Sequence[int], files: PatientFiles) -> RiskPrediction:
    """The mean over folds of the risk in standard deviations of each fold's training cases.

    Args:
        model_folder: nnU-Net's, such as ``LassoCoxPH__nnUNetPlans__3d_fullres``.
        folds: their numbers.
        files: of the patients.

    Raises:
        ValueError: if a fold is not fitted, a table or column that the method needs is not there, or no patient is in
            all tables.
    """
    fitted = [FittedModel.load(model_folder / f"fold_{fold}") for fold in folds]
    columns = list(dict.fromkeys(one.name for model in fitted for one in model.fold.covariates.indicators))
    clinical = read_clinical(files.clinical, columns)
    features = {str(file): read_number_table(file) for file in files.features}
    tables = CovariateTables(clinical=clinical if columns else None, features=join_number_tables(features))
    extra = _extra_columns(fitted[0].method.extra, files)
    case_ids = _in_all([tables.clinical, *features.values(), extra if len(extra.columns) else None])
    extra = extra.loc[case_ids] if len(extra.columns) else pd.DataFrame(index=case_ids)
    risks = [
        (model.risk_score(tables, case_ids, extra) - model.mean_risk) / (model.risk_deviation or 1.0)
        for model in fitted
    ]
    return RiskPrediction(case_ids, np.mean(risks, axis=0))


def _extra_columns(names: Sequence[str], files: PatientFiles) -> pd.DataFrame:
    if not names:
        return pd.DataFrame()
    if DEEP_RISK in names:
        if files.deep_predictions is None:
            raise ValueError(
                "The method goes on with a deep one: give what that predicts with --deep FILE.csv."
            )
        table = read_predictions([files.deep_predictions]).table
        return table[["risk_score"]].rename(columns={"risk_score": DEEP_RISK})
    if files.masks is None:
        raise ValueError(
            "The method measures the tumour: give the patients' masks with -m, and for SUVmax -i."
        )
    if SUV_MAX in names and files.images is None:
        raise ValueError("SUVmax needs the patients' images: give their folder with -i.")
    dataset_json = find_dataset_json(files.images or files.masks, files.masks)
    ending = read_dataset_json(dataset_json).get("file_ending", ".nii.gz") if dataset_json else ".nii.gz"
    case_ids = masked_cases(files.masks, ending)
    if SUV_MAX in names:
        measured = baseline_scores(case_ids, files.masks, files.images)[MEASURED_SUV_MAX]
        return measured.to_frame(SUV_MAX)
    volumes = {case_id: tumour_volume_ml(files.masks / f"{case_id}{ending}") for case_id in case_ids}
    return pd.Series(volumes).to_frame(TUMOUR_VOLUME)


def _in_all(tables: Sequence[pd.DataFrame | None]) -> list[str]:
    """The patients who have a row in every table that is there; the others are named in a warning."""
    indices = [set(map(str, table.index)) for table in tables if table is not None]
    if not indices:
        raise ValueError("There is nothing to predict from: give --clinical, --features, --deep or -m.")
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
