"""Calibration at a horizon: observed against predicted risk of the event, in groups of predicted risk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnunetv2_adamss.metrics.brier import beyond_curves
from nnunetv2_adamss.metrics.estimate import Estimate
from nnunetv2_adamss.metrics.kaplan_meier import kaplan_meier
from nnunetv2_adamss.metrics.patient_columns import Column
from nnunetv2_adamss.metrics.resampling import ResampledCohort
from nnunetv2_adamss.metrics.settings import check_settings
from nnunetv2_adamss.metrics.survival_curves import PredictedCurves

MOST_GROUPS = 10
_EVENTS_PER_GROUP = 10


@dataclass(frozen=True)
class RiskBin:
    """Patients of similar predicted risk.

    Attributes:
        n_patients: in the group.
        predicted: mean predicted risk of the event by the horizon.
        observed: 1 minus Kaplan-Meier, with its 95% interval.
    """

    n_patients: int
    predicted: float
    observed: Estimate


@dataclass(frozen=True)
class Calibration:
    """Predicted against observed risk at one horizon.

    Attributes:
        horizon: in the unit of the times.
        predicted: mean predicted risk of all patients; None if not estimable.
        observed: of all patients.
        observed_to_predicted: the ratio of the two, above 1 where risk was underestimated.
        groups: by rising predicted risk.
        reason: why nothing is estimable; None if it is.
    """

    horizon: float
    predicted: float | None
    observed: Estimate
    observed_to_predicted: Estimate
    groups: list[RiskBin]
    reason: str | None = None

    @classmethod
    def missing(cls, horizon: float, reason: str) -> Calibration:
        """A calibration that cannot be estimated."""
        none = Estimate(None, reason=reason)
        return cls(horizon, None, none, none, [], reason)


def calibration(
    survival_prob: Column, event: Column, time: Column, horizon: float, most_groups: int = MOST_GROUPS
) -> Calibration:
    """Predicted against observed risk by a horizon: of all patients, and in groups by predicted risk.

    Arrays, lists and pandas columns are taken as by :func:`harrell_c`.

    Args:
        survival_prob: predicted probability of living beyond the horizon, ``(n_cases,)``.
        event: True or 1 where the event was observed, ``(n_cases,)``.
        time: to event or censoring, ``(n_cases,)``.
        horizon: in the unit of the times.
        most_groups: however many events there are; a group has about ten events or more.

    Raises:
        ValueError: as from :func:`brier_score`, or if ``most_groups`` is not a whole number of at least 1.

    Examples:
        >>> import numpy as np
        >>> import nnunetv2_adamss as adamss
        >>> time = np.arange(1, 61)
        >>> event = time % 3 > 0  # every third patient is censored
        >>> survival_prob = np.where(time > 25, 0.8, 0.3)
        >>> found = adamss.calibration(survival_prob, event, time, horizon=30)
        >>> round(found.predicted, 2), round(found.observed.value, 2)
        (0.41, 0.37)
    """
    horizon, most_groups = check_settings(horizon=horizon, most_groups=most_groups)
    cohort = ResampledCohort(event, time, n_resamples=0)
    curves = PredictedCurves.in_cohort(survival_prob, horizon, cohort)
    return calibration_in_cohort(curves, cohort, horizon, most_groups)


def calibration_in_cohort(
    curves: PredictedCurves, cohort: ResampledCohort, horizon: float, most_groups: int = MOST_GROUPS
) -> Calibration:
    """Compare predicted with observed risk, in groups of equal size.

    There is a group for every ten events until the horizon, so that the groups' intervals are informative.

    Args:
        curves: of the patients.
        cohort: the patients.
        horizon: in the unit of the times.
        most_groups: however many events there are.
    """
    reason = cohort.too_few_events(horizon) or beyond_curves(curves, horizon)
    if reason:
        return Calibration.missing(horizon, reason)
    event, time = cohort.event, cohort.time
    risk = 1 - curves.at(np.array([horizon]))[:, 0]
    n_events = int((event & (time <= horizon)).sum())
    groups = [
        RiskBin(
            len(members),
            float(risk[members].mean()),
            kaplan_meier(event[members], time[members]).event_risk(horizon),
        )
        for members in _equal_groups(risk, min(most_groups, n_events // _EVENTS_PER_GROUP))
    ]
    predicted, observed = float(risk.mean()), kaplan_meier(event, time).event_risk(horizon)
    return Calibration(horizon, predicted, observed, _ratio(observed, predicted), groups)


def _equal_groups(risk: NDArray[np.float64], n_groups: int) -> list[NDArray[np.intp]]:
    """Positions of the patients between quantiles of risk; equal risks stay together."""
    edges = np.quantile(risk, np.arange(1, n_groups) / n_groups)
    group = np.searchsorted(edges, risk, side="right")
    return [np.flatnonzero(group == number) for number in np.unique(group)]


def _ratio(observed: Estimate, predicted: float) -> Estimate:
    if predicted == 0 or observed.value is None or observed.interval is None:
        return Estimate(None, reason=observed.reason or "no event was predicted")
    lower, upper = observed.interval
    return Estimate(observed.value / predicted, (lower / predicted, upper / predicted))
