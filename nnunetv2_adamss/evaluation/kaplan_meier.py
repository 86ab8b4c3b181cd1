"""Observed survival of a group of patients, by lifelines."""

import math
from dataclasses import dataclass

import numpy as np
from lifelines import KaplanMeierFitter
from numpy.typing import NDArray

from nnunetv2_adamss.evaluation.estimate import Estimate


@dataclass(frozen=True, eq=False)
class KaplanMeier:
    """Observed survival with its 95% interval (log-log), step by step.

    Attributes:
        times: of the steps, from 0, ``(n_times,)``.
        survival_prob: from each step on, ``(n_times,)``.
        lower: bound of its interval, of the same shape.
        upper: the other.
        median: time by which half had the event; None if fewer had.
        last_time: until when there is anybody under observation.
    """

    times: NDArray[np.float64]
    survival_prob: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    median: float | None
    last_time: float

    def event_risk(self, horizon: float) -> Estimate:
        """Observed risk of the event by a horizon: 1 less the curve."""
        place = int(np.searchsorted(self.times, horizon, side="right")) - 1
        if horizon > self.last_time and self.survival_prob[-1] > 0:
            return Estimate(None, reason=f"nobody in the group is under observation after {self.last_time:g}")
        interval = (float(1 - self.upper[place]), float(1 - self.lower[place]))
        return Estimate(float(1 - self.survival_prob[place]), interval)


def kaplan_meier(event: NDArray[np.bool_], time: NDArray[np.floating]) -> KaplanMeier:
    """The curve of these patients, ``(n_cases,)`` each and at least one."""
    fitter = KaplanMeierFitter().fit(time, event)
    bounds = fitter.confidence_interval_.ffill().fillna(1.0).to_numpy()
    return KaplanMeier(
        times=fitter.survival_function_.index.to_numpy(np.float64),
        survival_prob=fitter.survival_function_.to_numpy()[:, 0],
        lower=bounds[:, 0],
        upper=bounds[:, 1],
        median=float(fitter.median_survival_time_) if math.isfinite(fitter.median_survival_time_) else None,
        last_time=float(time.max()),
    )
