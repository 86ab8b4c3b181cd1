"""Tables of finished patients: survival, features, covariates, and their provenance."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnunetv2_adamss.common.case_names import CASE_ID
from nnunetv2_adamss.common.files import write_atomically, write_json
from nnunetv2_adamss.common.tables.csv_text import csv_text
from nnunetv2_adamss.prediction.calibration import (
    CALIBRATION_COLUMN,
    NO_CALIBRATION,
    OF_HOSPITAL,
    OF_MODEL,
    Calibration,
)
from nnunetv2_adamss.prediction.ensemble import EnsemblePrediction
from nnunetv2_adamss.prediction.patient_prediction import PatientPrediction
from nnunetv2_adamss.prediction.prediction_folder import (
    COVARIATES_FILE,
    FOLD_CURVES_FILE,
    PREDICTIONS_FILE,
    PROVENANCE_FILE,
    RADIOMICS_FILE,
    PredictionFolder,
)
from nnunetv2_adamss.prediction.survival_model import SurvivalModel
from nnunetv2_adamss.survival.nnunet_data.dataset_json import ignore_label_of
from nnunetv2_adamss.survival.tumour_region.case_regions import LEAST_SHARE
from nnunetv2_adamss.trained_folds.predicted_curves import FOLD
from nnunetv2_adamss.trained_folds.prediction import SurvivalPrediction, survival_columns

LOW, HIGH = "low", "high"
# choice: the paper has no ensemble; folds disagree if their predicted times spread over this share of the range.
_DISAGREEMENT = 0.15


@dataclass(frozen=True)
class ResultTables:
    """Turns the folds' predictions into tables.

    Args:
        model: that predicted.
        recalibration: fitted on patients of the hospital at hand, or None.
    """

    model: SurvivalModel
    recalibration: Calibration | None = None

    @property
    def calibration(self) -> str:
        """Calibration of the curves: none, model or hospital."""
        if self.recalibration is not None:
            return OF_HOSPITAL
        return NO_CALIBRATION if self.model.calibration is None else OF_MODEL

    @property
    def risk_threshold(self) -> float | None:
        """Lowest risk score of high-risk patients; None without calibration."""
        calibration = self.recalibration or self.model.calibration
        return None if calibration is None else calibration.threshold_of_average

    def write(self, folder: PredictionFolder, provenance: Mapping[str, Any]) -> None:
        """Write the tables of all finished patients, and their provenance.

        Args:
            folder: with the finished patients.
            provenance: entries of the caller, such as the folder of the images.
        """
        written: list[PatientPrediction] | None = None
        # Another part may finish meanwhile; the last one includes all patients.
        while written != (patients := list(folder.predictions().values())):
            self._write(folder, patients, provenance)
            written = patients

    def _write(
        self, folder: PredictionFolder, patients: list[PatientPrediction], provenance: Mapping[str, Any]
    ) -> None:
        tables = {
            PREDICTIONS_FILE: self.survival(patients) if patients else pd.DataFrame(),
            FOLD_CURVES_FILE: self.survival_by_fold(patients) if patients else pd.DataFrame(),
            RADIOMICS_FILE: _radiomics(patients),
            COVARIATES_FILE: _covariates(patients),
        }
        for name, table in tables.items():
            if table.empty:
                (folder.root / name).unlink(missing_ok=True)
            else:
                write_atomically(folder.root / name, csv_text(table, index=False))
        content = {**self._provenance(), **provenance, "predicted": [one.case_id for one in patients]}
        content |= {"failed": folder.failures(), "seconds_per_case": _mean_seconds(patients)}
        write_json(folder.root / PROVENANCE_FILE, content)

    def survival(self, patients: list[PatientPrediction]) -> pd.DataFrame:
        """Make a table with one row a patient: risk, time, group, curve, spread between folds, warnings."""
        ensemble = self._ensemble(patients)
        predicted_time = ensemble.predicted_time
        risk_score = ensemble.risk_score
        spread = ensemble.predicted_time_spread
        table = pd.DataFrame(
            {
                "case_id": ensemble.case_ids,
                "risk_score": risk_score,
                "predicted_time": predicted_time,
                "risk_group": self._groups(risk_score),
                CALIBRATION_COLUMN: self.calibration,
            }
        )
        table[survival_columns(ensemble.times)] = ensemble.survival_curve
        table["predicted_time_sd"] = np.nan if spread is None else spread
        limit = _DISAGREEMENT * ensemble.times[-1]
        disagree = np.zeros(len(patients), bool) if spread is None else spread > limit
        table["warnings"] = [
            "; ".join(_warnings(patient, is_split))
            for patient, is_split in zip(patients, disagree, strict=True)
        ]
        return table

    def survival_by_fold(self, patients: list[PatientPrediction]) -> pd.DataFrame:
        """Make a table with one row a patient and fold, with the fold's curve; empty for a single fold."""
        ensemble, folds = self._ensemble(patients), self.model.fold_numbers
        if len(folds) == 1:
            return pd.DataFrame()
        columns = survival_columns(ensemble.times)
        tables = [pd.DataFrame(curves, columns=columns) for curves in ensemble.fold_curves]
        for number, table in zip(folds, tables, strict=True):
            table.insert(0, FOLD, number)
            table.insert(0, CASE_ID, ensemble.case_ids)
        return pd.concat(tables)

    def _ensemble(self, patients: list[PatientPrediction]) -> EnsemblePrediction:
        """Combine the folds' curves for display; each fold's curve is calibrated as if it were the only one."""
        case_ids = [patient.case_id for patient in patients]
        folds = [
            SurvivalPrediction(
                case_ids,
                np.array([patient.folds[str(fold.number)].survival_prob for patient in patients]),
                fold.survival.edges,
            )
            for fold in self.model.folds
        ]
        ensemble = EnsemblePrediction.of_folds(folds, self.model.times, self.model.calibration)
        if self.recalibration is None:
            return ensemble
        return replace(
            ensemble,
            survival_curve=self.recalibration.apply(ensemble.survival_curve),
            fold_curves=self.recalibration.apply(ensemble.fold_curves),
        )

    def _groups(self, risk_score: NDArray[np.float64]) -> list[str]:
        threshold = self.risk_threshold
        if threshold is None:
            return [""] * len(risk_score)
        groups = {True: HIGH, False: LOW}
        # NaN is neither above nor below the threshold.
        return [groups[bool(risk > threshold)] if np.isfinite(risk) else "" for risk in risk_score]

    def _provenance(self) -> dict[str, Any]:
        model = self.model
        names = ("nnunetv2-adamss", "nnunetv2", "torch", "SimpleITK", "pyradiomics-bhklab")
        return {
            "dataset": model.first.plans_manager.dataset_name,
            "trainer": model.first.trainer,
            "plans": model.first.plans_manager.plans_name,
            "configuration": model.first.nnunet_fold.configuration,
            "folds": model.fold_numbers,
            "checkpoint": model.checkpoint_name,
            "checkpoints_sha256": dict(model.sha256),
            "endpoint": model.first.survival.endpoint,
            "time_unit": model.first.survival.time_unit,
            "times": model.times.tolist(),
            "calibration": self.calibration,
            "calibrated": self.calibration != NO_CALIBRATION,
            "risk_threshold": self.risk_threshold,
            "channel_names": dict(enumerate(model.channel_names)),
            "file_ending": model.dataset_json["file_ending"],
            "ignore_label": ignore_label_of(model.dataset_json),
            "versions": {name: version(name) for name in names},
        }


def _warnings(patient: PatientPrediction, folds_disagree: bool) -> list[str]:
    folds = patient.folds
    without_tumour = [number for number, fold in folds.items() if not fold.tumour_found]
    cut = [number for number, fold in folds.items() if fold.share_of_mask < LEAST_SHARE]
    warnings = []
    if without_tumour:
        warnings.append(
            f"no tumour found{_by_folds(without_tumour, patient)}, so the region lies around the likeliest place"
        )
    if cut:
        least = min(folds[number].share_of_mask for number in cut)
        warnings.append(f"only {least:.0%} of the tumour lies in the region{_by_folds(cut, patient)}")
    warnings += dict.fromkeys(remark for fold in folds.values() for remark in fold.remarks)
    if folds_disagree:
        warnings.append("the folds disagree")
    return warnings


def _by_folds(numbers: list[str], patient: PatientPrediction) -> str:
    return "" if len(numbers) == len(patient.folds) else f" by fold {', '.join(numbers)}"


def _radiomics(patients: list[PatientPrediction]) -> pd.DataFrame:
    """Make a table with one row for each patient and fold, since each fold uses its own mask."""
    return pd.DataFrame(
        [
            {"case_id": patient.case_id, "fold": number, **features}
            for patient in patients
            for number, features in patient.radiomics.items()
            if features
        ]
    )


def _covariates(patients: list[PatientPrediction]) -> pd.DataFrame:
    """Make a table of clinical values and own features, and of radiomics averaged over the folds that use them."""
    rows = []
    for patient in patients:
        features = pd.DataFrame(list(patient.radiomics.values())).mean()
        row: dict[str, Any] = {"case_id": patient.case_id, **patient.clinical, **patient.features}
        rows.append(row | {str(name): value for name, value in features.items()})
    table = pd.DataFrame(rows)
    return table if len(table.columns) > 1 else pd.DataFrame()


def _mean_seconds(patients: list[PatientPrediction]) -> dict[str, float]:
    means = pd.DataFrame([patient.seconds for patient in patients]).mean()
    return {str(step): round(float(seconds), 3) for step, seconds in means.items()}
