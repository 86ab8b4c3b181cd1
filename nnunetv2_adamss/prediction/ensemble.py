"""Several folds as one model: the mean of their survival curves at common times."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from nnunetv2_adamss.metrics.risk import risk_score_from_time
from nnunetv2_adamss.survival.discrete_time.curve import common_times, curves_at, predicted_time_at
from nnunetv2_adamss.trained_folds.prediction import SurvivalPrediction

Curves = NDArray[np.float64]


class CurveCalibration(Protocol):
    """Calibration of the curves of several folds."""

    def apply_to_folds(self, fold_curves: Curves) -> tuple[Curves, Curves]:
        """Calibrate S(t) of several folds ``(n_folds, ..., n_times)``: their average ``(..., n_times)``, and each."""


@dataclass(frozen=True, eq=False)
class EnsemblePrediction:
    """Predictions of all folds together.

    Args:
        case_ids: ``n_cases``.
        times: of the curves, ascending; the last is tau, to which means are restricted, ``(n_times,)``.
        fold_curves: S(t) of each fold, calibrated as all together are, ``(n_folds, n_cases, n_times)``.
        survival_curve: S(t) of the folds together, by default their mean, ``(n_cases, n_times)``.
    """

    case_ids: Sequence[str]
    times: NDArray[np.float64]
    fold_curves: Curves
    survival_curve: Curves

    @classmethod
    def of_folds(
        cls,
        folds: Sequence[SurvivalPrediction],
        times: NDArray[np.float64] | None = None,
        calibration: "CurveCalibration | None" = None,
    ) -> "EnsemblePrediction":
        """Interpolate the folds' predictions of the same cases at common times.

        Args:
            folds: at least one.
            times: default :func:`common_times`; none may lie beyond a fold's last edge.
            calibration: of curves at these times.

        Raises:
            ValueError: if the folds predict different cases, or a time lies beyond a fold's last edge.
        """
        case_ids = list(folds[0].case_ids)
        if any(list(fold.case_ids) != case_ids for fold in folds):
            raise ValueError("The folds of an ensemble must predict the same cases in the same order.")
        if times is None:
            times = common_times([fold.interval_edges for fold in folds])
        curves = [curves_at(fold.survival_curve, fold.interval_edges, times) for fold in folds]
        raw = np.stack(curves)
        if calibration is None:
            return cls(case_ids, times, raw, raw.mean(axis=0))
        together, of_folds = calibration.apply_to_folds(raw)
        return cls(case_ids, times, of_folds, together)

    @property
    def predicted_time(self) -> NDArray[np.float64]:
        """Eq. (2) for the folds' common curve, ``(n_cases,)`` from 0 to tau, higher for longer survival."""
        return predicted_time_at(self.survival_curve, self.times)

    @property
    def risk_score(self) -> NDArray[np.float64]:
        """Risk score, higher for an earlier event, ``(n_cases,)``."""
        return risk_score_from_time(self.predicted_time)

    @property
    def predicted_time_by_fold(self) -> NDArray[np.float64]:
        """Eq. (2) for each single fold, ``(n_folds, n_cases)``; if uncalibrated, their mean is ``predicted_time``."""
        return predicted_time_at(self.fold_curves, self.times)

    @property
    def predicted_time_spread(self) -> NDArray[np.float64] | None:
        """Standard deviation of the predicted time between folds, ``(n_cases,)``; None for a single fold."""
        return self.predicted_time_by_fold.std(axis=0, ddof=1) if len(self.fold_curves) > 1 else None
