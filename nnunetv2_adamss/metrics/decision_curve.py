"""Decision curve: net benefit of treating the patients above a risk, compared with treating all or none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnunetv2_adamss.metrics.brier import beyond_curves
from nnunetv2_adamss.metrics.resampling import ResampledCohort
from nnunetv2_adamss.metrics.step_curves import kaplan_meier_curves
from nnunetv2_adamss.metrics.survival_curves import PredictedCurves

_THRESHOLDS = np.arange(1, 100) / 100


@dataclass(frozen=True)
class DecisionCurve:
    """Net benefit at one horizon; treating no patient has a net benefit of 0.

    Attributes:
        horizon: in the unit of the times.
        thresholds: risks from which on a patient is treated, in (0, 1).
        net_benefit: of treating by the predictions: true minus weighted false positives, as a share of all patients.
            None where too few of the treated are followed up to the horizon.
        treat_all: net benefit of treating all patients.
        reason: why there is no curve; None if there is.
    """

    horizon: float
    thresholds: list[float]
    net_benefit: list[float | None]
    treat_all: list[float]
    reason: str | None = None

    @classmethod
    def missing(cls, horizon: float, reason: str) -> DecisionCurve:
        """A curve that cannot be estimated."""
        return cls(horizon, [], [], [], reason)


def decision_curve(curves: PredictedCurves, cohort: ResampledCohort, horizon: float) -> DecisionCurve:
    """Decision curve with censoring, by Kaplan-Meier of the treated (Vickers et al., BMC Med Inform Decis Mak 2008).

    Args:
        curves: of the patients.
        cohort: the patients.
        horizon: in the unit of the times.
    """
    reason = cohort.too_few_events(horizon) or beyond_curves(curves, horizon)
    if reason:
        return DecisionCurve.missing(horizon, reason)
    risk = 1 - curves.at(np.array([horizon]))[:, 0]
    is_treated = np.vstack([np.ones(len(risk), dtype=bool), risk >= _THRESHOLDS[:, None]])
    event_risk = 1 - kaplan_meier_curves(is_treated, cohort.event, cohort.time).at(horizon)
    followed_up = ((cohort.time >= horizon) & is_treated).any(axis=1) | (event_risk == 1)
    share = is_treated.mean(axis=1)
    odds = _THRESHOLDS / (1 - _THRESHOLDS)
    benefit = share[1:] * (event_risk[1:] - (1 - event_risk[1:]) * odds)
    known = followed_up[1:] | (share[1:] == 0)
    return DecisionCurve(
        horizon,
        _THRESHOLDS.tolist(),
        [float(value) if is_known else None for value, is_known in zip(benefit, known, strict=True)],
        (event_risk[0] - (1 - event_risk[0]) * odds).tolist(),
    )
