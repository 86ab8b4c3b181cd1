"""Several folds as one model: their survival curves at common times, averaged."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnunetv2_adamss.metrics.risk import risk_score_from_time
from nnunetv2_adamss.survival.discrete_time.curve import common_times, curves_at, predicted_time_at
from nnunetv2_adamss.trained_folds.prediction import SurvivalPrediction

Curves = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class EnsemblePrediction:
    """What the folds say together.

    Args:
        case_ids: ``n_cases``.
        times: at which the curves are given, ascending; the last is tau, to which means are restricted, ``(n_times,)``.
        fold_curves: S(t) of each fold, ``(n_folds, n_cases, n_times)``.
    """

    case_ids: Sequence[str]
    times: NDArray[np.float64]
    fold_curves: Curves

    @classmethod
    def of_folds(
        cls,
        folds: Sequence[SurvivalPrediction],
        times: NDArray[np.float64] | None = None,
        calibrate: Callable[[Curves], Curves] | None = None,
    ) -> "EnsemblePrediction":
        """Bring the folds' predictions of the same cases to common times.

        Args:
            folds: at least one.
            times: default :func:`common_times`; none may lie beyond a fold's last edge.
            calibrate: applied to each fold's curves at these times, ``(n_cases, n_times)``.

        Raises:
            ValueError: if the folds predict different cases, or a time lies beyond a fold's last edge.
        """
        case_ids = list(folds[0].case_ids)
        if any(list(fold.case_ids) != case_ids for fold in folds):
            raise ValueError("The folds of an ensemble must predict the same cases in the same order.")
        if times is None:
            times = common_times([fold.interval_edges for fold in folds])
        curves = [curves_at(fold.survival_curve, fold.interval_edges, times) for fold in folds]
        return cls(case_ids, times, np.stack([calibrate(c) for c in curves] if calibrate else curves))

    @property
    def survival_curve(self) -> Curves:
        """S(t), the mean of the folds, ``(n_cases, n_times)``."""
        return self.fold_curves.mean(axis=0)

    @property
    def predicted_time(self) -> NDArray[np.float64]:
        """Eq. (2) of the mean curve, ``(n_cases,)`` from 0 to tau, higher for longer survival."""
        return predicted_time_at(self.survival_curve, self.times)

    @property
    def risk_score(self) -> NDArray[np.float64]:
        """Higher for an earlier event, ``(n_cases,)``."""
        return risk_score_from_time(self.predicted_time)

    @property
    def predicted_time_by_fold(self) -> NDArray[np.float64]:
        """Eq. (2) of each fold, ``(n_folds, n_cases)``; their mean is ``predicted_time``."""
        return predicted_time_at(self.fold_curves, self.times)

    @property
    def predicted_time_spread(self) -> NDArray[np.float64] | None:
        """Standard deviation of the predicted time between folds, ``(n_cases,)``; None for a single fold."""
        return self.predicted_time_by_fold.std(axis=0, ddof=1) if len(self.fold_curves) > 1 else None
