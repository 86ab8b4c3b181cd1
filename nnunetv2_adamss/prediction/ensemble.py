"""Several folds as one model: their survival curves at common times, averaged."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnunetv2_adamss.metrics.interpolation import at_constant_hazard
from nnunetv2_adamss.metrics.risk import risk_score_from_time
from nnunetv2_adamss.survival.discrete_time.curve import predicted_time
from nnunetv2_adamss.survival.results.prediction import SurvivalPrediction

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


def common_times(edges_by_fold: Sequence[NDArray[np.floating]]) -> NDArray[np.float64]:
    """Times that every fold's curve reaches: the edges, without 0, of the fold whose last edge is smallest.

    Args:
        edges_by_fold: ``(n_intervals + 1,)`` each, ascending from 0.

    Returns:
        ``(n_times,)``, ascending; whatever the order of the folds.
    """
    shortest = min(edges_by_fold, key=lambda edges: (edges[-1], *edges))
    return np.asarray(shortest[1:], dtype=np.float64)


def curves_at(
    survival_curve: NDArray[np.floating], edges: NDArray[np.floating], times: NDArray[np.floating]
) -> Curves:
    """Survival curves at other times; between edges the hazard is constant.

    Args:
        survival_curve: S(t) at the right edges, in [0, 1], ``(..., n_intervals)``.
        edges: ``(n_intervals + 1,)``, ascending from 0, where S is 1.
        times: above 0, ``(n_times,)``.

    Returns:
        ``(..., n_times)``.

    Raises:
        ValueError: if a time lies beyond the last edge.
    """
    if np.max(times) > edges[-1]:
        raise ValueError(f"A survival curve that ends at {edges[-1]:g} says nothing of {np.max(times):g}.")
    from_start = np.concatenate([np.ones_like(survival_curve[..., :1]), survival_curve], axis=-1)
    return at_constant_hazard(from_start, edges, times)


def predicted_time_at(
    survival_curve: NDArray[np.floating], times: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Eq. (2) of curves at some times: ``(..., n_times)`` and ``(n_times,)`` to ``(...)``, from 0 to the last time."""
    return predicted_time(survival_curve, np.append(0.0, times))
