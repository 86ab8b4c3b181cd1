"""Out-of-fold predictions of the validation patients, calibrated if the model is."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnunetv2_adamss.common.progress import Progress, silent
from nnunetv2_adamss.evaluation.evaluate import EvaluationSettings, Other, evaluate
from nnunetv2_adamss.evaluation.evaluated_patients import Patients, match
from nnunetv2_adamss.evaluation.evaluation import Evaluation
from nnunetv2_adamss.evaluation.prediction_files import FOLD, RISK_SCORE, read_predictions
from nnunetv2_adamss.metrics.risk import risk_score_from_time
from nnunetv2_adamss.metrics.risk_groups import RiskGroups
from nnunetv2_adamss.metrics.survival_curves import PredictedCurves
from nnunetv2_adamss.metrics.volume_and_uptake import TumourMeasures
from nnunetv2_adamss.prediction.calibration import Calibration
from nnunetv2_adamss.prediction.calibration_files import read_model_calibrations
from nnunetv2_adamss.prediction.cross_fit import cross_fitted
from nnunetv2_adamss.report.model_data import selected_features
from nnunetv2_adamss.report.patient_volumes import Channel, channels_of
from nnunetv2_adamss.report.sections.baselines import Images, baselines_or_note, measure_tumours
from nnunetv2_adamss.survival.discrete_time.curve import predicted_time_at
from nnunetv2_adamss.survival.nnunet_data.dataset import channel_names, raw_images
from nnunetv2_adamss.survival.nnunet_data.dataset_json import ignore_label_of
from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation
from nnunetv2_adamss.trained_folds.fold_files import CHECKPOINTS, COVARIATES_ONLY_FILE, PREDICTIONS_FILE
from nnunetv2_adamss.trained_folds.fold_masks import masks_of
from nnunetv2_adamss.trained_folds.predicted_curves import CurvesByCase
from nnunetv2_adamss.trained_folds.trained_fold import TrainedFold


@dataclass(eq=False)
class OutOfFold:
    """All results of the validation patients, each computed once.

    Args:
        source: the model.
        progress: shows which images are read.
    """

    source: CrossValidation
    progress: Progress = field(default=silent)

    @property
    def folds(self) -> list[TrainedFold]:
        """Folds with validation patients.

        Raises:
            ValueError: if there are none.
        """
        folds = [fold for fold in self.source.folds if fold.summary["cases"]["validation"]["cases"]]
        if not folds:
            raise ValueError(
                "Fold all was trained on every patient, so no patient is left to evaluate it on."
            )
        return folds

    @cached_property
    def _found_calibration(self) -> tuple[Calibration | None, str]:
        command = (
            f"`adamss_calibrate -d {self.source.dataset} -c {self.source.configuration} -tr {self.source.trainer} "
            f"-p {self.source.plans_name}`"
        )
        epochs = {fold.summary["predictions_from"] for fold in self.folds}
        if len(epochs) > 1:
            return None, "the folds' predictions are from different kinds of epochs (best and last)"
        checkpoint_name = CHECKPOINTS[epochs.pop()]
        try:
            calibration = read_model_calibrations(self.source.model_folder).get(checkpoint_name)
        except ValueError as error:
            return None, str(error).rstrip(".")
        if calibration is None:
            return None, f"the model is not calibrated for {checkpoint_name}; {command} does it"
        changed = calibration.changed_folds(
            {
                fold.number: fold.folder / checkpoint_name
                for fold in self.folds
                if fold.has_files(checkpoint_name)
            }
        )
        if changed:
            names = ", ".join(map(str, changed))
            return None, f"fold {names} was trained again since the model was calibrated; repeat {command}"
        return calibration, ""

    @property
    def calibration(self) -> Calibration | None:
        """The model's calibration, if it has one and no fold was trained again since."""
        return self._found_calibration[0]

    @property
    def why_uncalibrated(self) -> str:
        """Reason why there is no calibration, in words; empty if there is one."""
        return self._found_calibration[1]

    @cached_property
    def curves(self) -> dict[int | str, CurvesByCase]:
        """Curves to show, by number of the fold: calibrated on the other folds, at the calibration's times."""
        if self.calibration is None:
            return {fold.number: fold.predictions() for fold in self.folds}
        curves, places = (
            self._cross_fitted[0],
            np.cumsum([len(part.case_ids) for part in self._raw_curves.values()]),
        )
        parts = zip(self._raw_curves.items(), np.split(curves, places[:-1]), strict=True)
        return {number: raw._replace(survival_curve=curve) for (number, raw), curve in parts}

    @cached_property
    def _raw_curves(self) -> dict[int | str, CurvesByCase]:
        """Uncalibrated curves of the folds, at the calibration's times."""
        assert self.calibration is not None
        times = np.asarray(self.calibration.times)
        return {fold.number: fold.predictions().at(times) for fold in self.folds}

    @cached_property
    def _cross_fitted(self) -> tuple[NDArray[np.float64], str]:
        """Concatenated curves of all folds, and the reason if they are calibrated on the same patients."""
        assert self.calibration is not None
        parts = self._raw_curves.values()
        raw = np.concatenate([part.survival_curve for part in parts])
        fold = np.repeat(np.arange(len(parts)), [len(part.case_ids) for part in parts])
        time, event = self.source.table.time_and_event(
            [case_id for part in parts for case_id in part.case_ids]
        )
        try:
            return cross_fitted(raw, event, time, fold, np.asarray(self.calibration.times)), ""
        except ValueError as error:
            return self.calibration.apply(raw), str(error)

    @property
    def why_calibration_is_apparent(self) -> str:
        """Reason why curves are calibrated on the outcomes of the same patients, in words; empty if they are not."""
        return "" if self.calibration is None else self._cross_fitted[1]

    @cached_property
    def features(self) -> dict[int | str, pd.DataFrame]:
        """Radiomics and the user's own features that each fold's network gets, by number of the fold."""
        return {fold.number: selected_features(self.source, fold) for fold in self.folds}

    @cached_property
    def patients(self) -> Patients:
        """Patients with outcomes; curves and risk groups calibrated if the model is, ranks within each fold."""
        predictions = read_predictions([fold.folder / PREDICTIONS_FILE for fold in self.folds])
        patients = match(predictions, self.source.table)
        if self.calibration is None:
            return patients
        all_cases = [case_id for part in self.curves.values() for case_id in part.case_ids]
        calibrated = pd.DataFrame(
            np.concatenate([part.survival_curve for part in self.curves.values()]), all_cases
        ).loc[patients.case_ids]
        times, curve = np.asarray(self.calibration.times), calibrated.to_numpy()
        raw = np.concatenate([part.survival_curve for part in self._raw_curves.values()])
        # The threshold is that of curves by the model's own calibration.
        stored = pd.DataFrame(self.calibration.apply(raw), all_cases).loc[patients.case_ids].to_numpy()
        risk_score = risk_score_from_time(predicted_time_at(stored, times))
        return replace(
            patients,
            curves=PredictedCurves.from_columns(times, curve),
            is_high_risk=risk_score > self.calibration.risk_threshold,
        )

    @cached_property
    def evaluation(self) -> Evaluation:
        """Evaluation of the predictions, beside baselines without a network."""
        baselines, notes = baselines_or_note(lambda: self.tumours)
        result = evaluate(
            self.patients,
            self.source.table,
            EvaluationSettings(),
            fold_names=[fold.name for fold in self.folds],
            others=[*self._covariates_only(), *baselines],
            notes=notes,
        )
        if self.calibration is not None:
            by = "the median risk of the calibrated out-of-fold curves, stored with the model"
            return replace(result, risk_groups=replace(result.risk_groups, source=by))
        why = f"no risk groups: their threshold comes with the calibration, but {self.why_uncalibrated}"
        return replace(result, risk_groups=RiskGroups.missing(why))

    def _covariates_only(self) -> list[Other]:
        files = [fold.folder / COVARIATES_ONLY_FILE for fold in self.folds]
        there = [file for file in files if file.is_file()]
        if not there:
            return []
        table = read_predictions(there).table
        return [Other("Cox model on the covariates alone", table[RISK_SCORE], table[FOLD])]

    @cached_property
    def _image_files(self) -> Mapping[str, Mapping[str, Any]]:
        folder = self.source.raw_folder
        return raw_images(folder) if (folder / "imagesTr").is_dir() else {}

    def channels(self, case_id: str) -> list[Channel]:
        """Return the images of a patient.

        Raises:
            ValueError: if the raw data set has no such case.
        """
        if case_id not in self._image_files:
            raise ValueError(f"The images of {case_id} are not in {self.source.raw_folder}.")
        files = [Path(file) for file in self._image_files[case_id]["images"]]
        return channels_of(channel_names(self.source.dataset_json), files)

    @cached_property
    def tumours(self) -> dict[str, TumourMeasures]:
        """Size and uptake of the tumours in the masks that the network used, by ``case_id``.

        Raises:
            ValueError: if the images of no patient can be read.
        """
        return measure_tumours(self._images(), self.progress, ignore_label_of(self.source.dataset_json))

    def _images(self) -> dict[str, Images]:
        """Images with the masks that the network used."""
        return {
            case_id: (partial(self.channels, case_id), masks.mask_file(case_id))
            for fold in self.folds
            for masks in [masks_of(self.source, fold)]
            for case_id in self.curves[fold.number].case_ids
        }
