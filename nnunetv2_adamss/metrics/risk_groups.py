"""Comparison of the survival of patients of low and of high predicted risk."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter
from lifelines.exceptions import ConvergenceWarning
from lifelines.statistics import logrank_test
from numpy.typing import NDArray

from nnunetv2_adamss.metrics.estimate import Estimate
from nnunetv2_adamss.metrics.kaplan_meier import kaplan_meier
from nnunetv2_adamss.metrics.patient_columns import Column, patient_columns


@dataclass(frozen=True)
class RiskGroup:
    """The patients of one risk group.

    Attributes:
        name: ``low`` or ``high``.
        n_patients: in it.
        n_events: of them.
        median_survival: by Kaplan-Meier; None if not reached.
    """

    name: str
    n_patients: int
    n_events: int
    median_survival: float | None


@dataclass(frozen=True)
class RiskGroups:
    """Comparison of the low with the high risk group.

    Attributes:
        source: the origin of the groups.
        groups: low, then high; empty without groups.
        log_rank_p: P value of the log-rank test; None if there is none.
        hazard_ratio: of high against low risk, with its 95% interval, by a Cox model.
        reason: why there are no groups, or no test; None if there are.
    """

    source: str | None
    groups: list[RiskGroup]
    log_rank_p: float | None
    hazard_ratio: Estimate
    reason: str | None = None

    @classmethod
    def missing(cls, reason: str, source: str | None = None, groups: Sequence[RiskGroup] = ()) -> RiskGroups:
        """A comparison that cannot be made."""
        return cls(source, list(groups), None, Estimate(None, reason=reason), reason)


def compare_risk_groups(is_high: Column, event: Column, time: Column, source: str) -> RiskGroups:
    """Compare the patients of high with those of low risk.

    Args:
        is_high: ``(n_cases,)``.
        event: ``(n_cases,)``.
        time: ``(n_cases,)``.
        source: the origin of the groups; it must not depend on these outcomes.
    """
    is_high, event, time = patient_columns(is_high=is_high, event=event, time=time)
    members = {"low": ~is_high, "high": is_high}
    groups = [_describe(name, event[part], time[part]) for name, part in members.items()]
    lacking = [name for name, part in members.items() if not part.any()]
    if lacking:
        return RiskGroups.missing(f"not estimable: no patient is of {lacking[0]} risk", source, groups)
    if not event.any():
        return RiskGroups.missing("not estimable: no events", source, groups)
    test = logrank_test(time[~is_high], time[is_high], event[~is_high], event[is_high])
    return RiskGroups(source, groups, float(test.p_value), _hazard_ratio(is_high, event, time))


def _describe(name: str, event: NDArray[np.bool_], time: NDArray[np.floating]) -> RiskGroup:
    median = kaplan_meier(event, time).median if len(time) else None
    return RiskGroup(name, len(time), int(event.sum()), median)


def _hazard_ratio(
    is_high: NDArray[np.bool_], event: NDArray[np.bool_], time: NDArray[np.floating]
) -> Estimate:
    for name, part, other in (("low", ~is_high, is_high), ("high", is_high, ~is_high)):
        if not event[part].any():
            return Estimate(None, reason=f"not estimable: no events among the patients of {name} risk")
        if time[part & event].min() > time[other].max():
            return Estimate(
                None, reason=f"not estimable: the events of {name} risk come when no other patient is left"
            )
    table = pd.DataFrame({"is_high": is_high.astype(float), "event": event, "time": time})
    with warnings.catch_warnings():
        # It warns of groups in which all die; the ratio is finite, since the groups are checked to overlap in time.
        warnings.simplefilter("ignore", ConvergenceWarning)
        row = CoxPHFitter().fit(table, "time", "event").summary.loc["is_high"]
    interval = (float(row["exp(coef) lower 95%"]), float(row["exp(coef) upper 95%"]))
    return Estimate(float(row["exp(coef)"]), interval)
