"""Risks of the patients of a cross-validation, in the unit of new patients' risks."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nnunetv2_adamss.evaluation.prediction_files import FOLD, RISK_SCORE, read_predictions
from nnunetv2_adamss.methods.statistical.fitted_model import FittedModel
from nnunetv2_adamss.metrics.risk import risk_score_from_time
from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation
from nnunetv2_adamss.trained_folds.fold_files import MODEL_FILE, PREDICTIONS_FILE
from nnunetv2_adamss.trained_folds.prediction import RiskPrediction


def out_of_fold_risks(model_folder: Path, folds: Sequence[int], epoch: str) -> RiskPrediction:
    """Return the risk of each validation case by the fold that was not trained on it.

    Risks of different folds have one unit, that of all folds together. For a network it is that of uncalibrated
    predictions. For a statistical method it is the standard deviation of each fold's training cases.

    Args:
        model_folder: nnU-Net's, of a survival training or a statistical method.
        folds: their numbers.
        epoch: ``best`` or ``last``, of a network.

    Raises:
        ValueError: if a fold is not finished, or two folds predict the same case.
    """
    found = CrossValidation.find(model_folder, folds, PREDICTIONS_FILE)
    if not found.files(MODEL_FILE):
        curves = found.out_of_fold(epoch)
        return RiskPrediction(curves.case_ids, risk_score_from_time(curves.predicted_time))
    table = read_predictions(found.files(PREDICTIONS_FILE)).table
    models = [FittedModel.load(fold.folder) for fold in found.folds]
    mean = np.array([model.mean_risk for model in models])[table[FOLD]]
    deviation = np.array([model.risk_deviation or 1.0 for model in models])[table[FOLD]]
    return RiskPrediction(list(table.index), (table[RISK_SCORE].to_numpy() - mean) / deviation)
