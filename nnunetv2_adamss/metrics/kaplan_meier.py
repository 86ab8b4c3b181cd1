"""Observed survival of a group of patients, by lifelines."""

import math
from dataclasses import dataclass

import numpy as np
from lifelines import KaplanMeierFitter
from numpy.typing import NDArray

from nnunetv2_adamss.metrics.estimate import Estimate
from nnunetv2_adamss.metrics.patient_columns import Column, check_there_are_patients, patient_columns


@dataclass(frozen=True, eq=False)
class KaplanMeier:
    """Observed survival with its 95% interval (log-log), step by step.

    Attributes:
        times: of the steps, from 0, ``(n_times,)``.
        survival_prob: from each step on, ``(n_times,)``.
        lower: bound of its interval, of the same shape.
        upper: the other.
        median: time by which half had the event; None if fewer had.
        last_time: time until which patients are under observation.
    """

    times: NDArray[np.float64]
    survival_prob: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    median: float | None
    last_time: float

    def at(self, times: NDArray[np.floating]) -> NDArray[np.float64]:
        """Survival and the lower and upper bound of its interval, ``(3, k)``; NaN where no patient is observed."""
        place = np.searchsorted(self.times, times, side="right") - 1
        is_unknown = (times > self.last_time) & (self.survival_prob[-1] > 0)
        found = np.stack([self.survival_prob, self.lower, self.upper])[:, place]
        return np.where(is_unknown, np.nan, found)

    def event_risk(self, horizon: float) -> Estimate:
        """Observed risk of the event by a horizon: 1 minus the curve."""
        risk, upper, lower = (float(1 - value) for value in self.at(np.array([horizon]))[:, 0])
        if math.isnan(risk):
            return Estimate(
                None, reason=f"no patient of the group is under observation after {self.last_time:g}"
            )
        return Estimate(risk, (lower, upper))


def kaplan_meier(event: Column, time: Column) -> KaplanMeier:
    """The curve of these patients, ``(n_cases,)`` each and at least one."""
    event, time = patient_columns(event=event, time=time)
    check_there_are_patients(time)
    # lifelines turns off numpy's warnings of divisions by zero, for all that comes after it.
    with np.errstate():
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
