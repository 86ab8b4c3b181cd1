"""Predictions and outcomes of the same patients, side by side."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnunetv2_adamss.evaluation.prediction_files import (
    FOLD,
    PREDICTED_TIME,
    RISK_GROUP,
    RISK_SCORE,
    Predictions,
)
from nnunetv2_adamss.metrics.survival_curves import PredictedCurves
from nnunetv2_adamss.survival.cohort.survival_table import SurvivalTable


@dataclass(frozen=True, eq=False)
class Patients:
    """The patients that are evaluated: those with a prediction and an outcome.

    Args:
        case_ids: ``n_cases``.
        risk_score: higher = earlier event; NaN where it is not finite, ``(n_cases,)``.
        event: True = observed, ``(n_cases,)``.
        time: in the table's time unit, ``(n_cases,)``.
        fold: number of the file that predicted each case, ``(n_cases,)``.
        predicted_time: higher = later event; None if not predicted.
        is_high_risk: by column ``risk_group``; None without that column.
        curves: predicted survival; None if not predicted.
        group: value of the table's group column, ``(n_cases,)``; None without such a column.
        without_outcome: cases that are predicted but have no outcome; left out.
        without_prediction: cases that have an outcome but are not predicted; left out.
    """

    case_ids: list[str]
    risk_score: NDArray[np.float64]
    event: NDArray[np.bool_]
    time: NDArray[np.float64]
    fold: NDArray[np.int64]
    predicted_time: NDArray[np.float64] | None
    is_high_risk: NDArray[np.bool_] | None
    curves: PredictedCurves | None
    group: NDArray[np.str_] | None
    without_outcome: list[str]
    without_prediction: list[str]


def match(predictions: Predictions, survival: SurvivalTable) -> Patients:
    """Find the outcome of every predicted case.

    Raises:
        ValueError: if a case is not in the table, or none has an outcome.
    """
    predicted = predictions.table
    has_outcome = survival.has_outcome(list(predicted.index))
    if not has_outcome.any():
        raise ValueError(f"None of the predicted cases has an outcome in {survival.path}.")
    used = predicted[has_outcome]
    time, event = survival.time_and_event(list(used.index))
    column, curves = survival.description.group_column, predictions.curves
    return Patients(
        case_ids=list(used.index),
        risk_score=used[RISK_SCORE].to_numpy(np.float64),
        event=event,
        time=time,
        fold=used[FOLD].to_numpy(np.int64),
        predicted_time=used[PREDICTED_TIME].to_numpy(np.float64) if PREDICTED_TIME in used else None,
        is_high_risk=used[RISK_GROUP].to_numpy(np.bool_) if RISK_GROUP in used else None,
        curves=None if curves is None else curves.of(np.flatnonzero(has_outcome)),
        group=None if column is None else survival.groups(column)[used.index].to_numpy(np.str_),
        without_outcome=list(predicted.index[~has_outcome]),
        without_prediction=[name for name in survival.outcomes.index if name not in predicted.index],
    )
