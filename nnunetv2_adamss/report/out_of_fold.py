"""The validation patients as the folds predict them, calibrated where the model is."""

from dataclasses import dataclass, field, replace
from functools import cached_property

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
from nnunetv2_adamss.prediction.calibration import Calibration, read_model_calibrations
from nnunetv2_adamss.prediction.ensemble import curves_at, predicted_time_at
from nnunetv2_adamss.report.sections.baselines import Images, image_baselines
from nnunetv2_adamss.report.sources import FoldSource, ReportSource
from nnunetv2_adamss.survival.results.fold_files import CHECKPOINTS, COVARIATES_ONLY_FILE, PREDICTIONS_FILE
from nnunetv2_adamss.survival.results.predicted_curves import read_predicted_curves


@dataclass(frozen=True, eq=False)
class FoldCurves:
    """The validation patients of one fold.

    Args:
        case_ids: ``n_cases``.
        times: right edges of the fold's intervals, or the calibration's times, ``(n_times,)``.
        curve: S(t) at these times, ``(n_cases, n_times)``.
        predicted_time: Eq. (2) of these curves, ``(n_cases,)``.
    """

    case_ids: list[str]
    times: NDArray[np.float64]
    curve: NDArray[np.float64]
    predicted_time: NDArray[np.float64]

    @classmethod
    def read(cls, fold: FoldSource, calibration: Calibration | None) -> "FoldCurves":
        """From the fold's file of predictions."""
        found = read_predicted_curves(fold.folder / PREDICTIONS_FILE)
        # The names of the columns drop digits that the fold's edges have.
        edges = np.asarray(fold.summary["interval_edges"], dtype=np.float64)
        times, curve = edges[1:], found.survival_curve
        if calibration is not None:
            times = np.asarray(calibration.times)
            curve = calibration.apply(curves_at(curve, edges, times))
        return cls(found.case_ids, times, curve, predicted_time_at(curve, times))


@dataclass(eq=False)
class OutOfFold:
    """Everything about the validation patients, worked out once.

    Args:
        source: the model.
        progress: told about the images that are read.
    """

    source: ReportSource
    progress: Progress = field(default=silent)

    @property
    def folds(self) -> list[FoldSource]:
        """Those that have validation patients.

        Raises:
            ValueError: if there are none.
        """
        folds = [fold for fold in self.source.folds if fold.summary["cases"]["validation"]["cases"]]
        if not folds:
            raise ValueError("Fold all was trained on every patient, so nobody is left to judge it on.")
        return folds

    @cached_property
    def _found_calibration(self) -> tuple[Calibration | None, str]:
        command = (
            f"`adamss_calibrate {self.source.dataset} {self.source.configuration} -tr {self.source.trainer}`"
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
        checkpoints = {
            int(fold.number): fold.folder / checkpoint_name
            for fold in self.folds
            if (fold.folder / checkpoint_name).is_file()
        }
        changed = calibration.changed_folds(checkpoints)
        if changed:
            names = ", ".join(map(str, changed))
            return None, f"fold {names} was trained anew since the model was calibrated; repeat {command}"
        return calibration, ""

    @property
    def calibration(self) -> Calibration | None:
        """The model's, if it has one that still holds."""
        return self._found_calibration[0]

    @property
    def why_uncalibrated(self) -> str:
        """In words; empty if there is a calibration."""
        return self._found_calibration[1]

    @cached_property
    def curves(self) -> dict[int | str, FoldCurves]:
        """By number of the fold."""
        return {fold.number: FoldCurves.read(fold, self.calibration) for fold in self.folds}

    @cached_property
    def features(self) -> dict[int | str, pd.DataFrame]:
        """Radiomics and the user's own features that each fold's network gets, by number of the fold."""
        return {fold.number: self.source.selected_features(fold) for fold in self.folds}

    @cached_property
    def patients(self) -> Patients:
        """With their outcomes; curves and risk groups calibrated if the model is, ranks as each fold gives them."""
        predictions = read_predictions([fold.folder / PREDICTIONS_FILE for fold in self.folds])
        patients = match(predictions, self.source.table)
        if self.calibration is None:
            return patients
        calibrated = pd.DataFrame(
            np.concatenate([part.curve for part in self.curves.values()]),
            [case_id for part in self.curves.values() for case_id in part.case_ids],
        ).loc[patients.case_ids]
        times, curve = np.asarray(self.calibration.times), calibrated.to_numpy()
        risk_score = risk_score_from_time(predicted_time_at(curve, times))
        return replace(
            patients,
            curves=PredictedCurves.from_columns(times, curve),
            is_high_risk=risk_score > self.calibration.risk_threshold,
        )

    @cached_property
    def evaluation(self) -> Evaluation:
        """All measures, beside what needs no network."""
        others, notes = self._covariates_only(), []
        try:
            others += image_baselines(self._images(), self.progress)
        except (ValueError, OSError) as error:
            notes.append(f"Tumour volume and SUVmax do not stand beside the model. {error}")
        result = evaluate(
            self.patients,
            self.source.table,
            EvaluationSettings(),
            fold_names=[fold.name for fold in self.folds],
            others=others,
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

    def _images(self) -> dict[str, Images]:
        """With the masks that the network worked with."""
        return {
            case_id: (self.source.channels(case_id), masks.mask_file(case_id))
            for fold in self.folds
            for masks in [self.source.masks(fold)]
            for case_id in self.curves[fold.number].case_ids
        }
