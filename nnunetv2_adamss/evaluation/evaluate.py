"""Evaluate predictions against outcomes: every measure, its interval, and a reason wherever there is none."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import spearmanr

from nnunetv2_adamss.common.progress import Progress, silent
from nnunetv2_adamss.display.words import count
from nnunetv2_adamss.display.words import time as time_text
from nnunetv2_adamss.evaluation.evaluated_patients import Patients
from nnunetv2_adamss.evaluation.evaluation import CohortFacts, Evaluation, NamedComparison, PartC
from nnunetv2_adamss.metrics.auc import auc_in_cohort
from nnunetv2_adamss.metrics.brier import BrierScore, brier_score_in_cohort, integrated_brier_score_in_cohort
from nnunetv2_adamss.metrics.calibration_at_horizon import Calibration, calibration_in_cohort
from nnunetv2_adamss.metrics.concordance import cross_validated_c
from nnunetv2_adamss.metrics.d_calibration import DCalibration, d_calibration
from nnunetv2_adamss.metrics.decision_curve import DecisionCurve, decision_curve
from nnunetv2_adamss.metrics.dice import LabelDice
from nnunetv2_adamss.metrics.estimate import Estimate, PairEstimate
from nnunetv2_adamss.metrics.paired_comparison import compare, holm
from nnunetv2_adamss.metrics.pairs import not_finite
from nnunetv2_adamss.metrics.resampling import DEFAULT_RESAMPLES, ResampledCohort
from nnunetv2_adamss.metrics.risk_groups import RiskGroups, compare_risk_groups
from nnunetv2_adamss.metrics.survival_curves import PredictedCurves
from nnunetv2_adamss.metrics.uno import uno_c_in_cohort
from nnunetv2_adamss.survival.cohort.cohort_summary import median_follow_up
from nnunetv2_adamss.survival.cohort.survival_table import SurvivalTable

UNITS_A_YEAR = {"days": 365.25, "weeks": 365.25 / 7, "months": 12.0, "years": 1.0}
DEFAULT_HORIZONS_YEARS = (1, 2, 3, 5)
NO_CURVES = "the predictions have no survival_at columns"
_T = TypeVar("_T")


@dataclass(frozen=True)
class EvaluationSettings:
    """Settings of an evaluation.

    Args:
        horizons: in the table's time unit; default 1, 2, 3 and 5 years.
        truncation_time: of Uno's C; default the time when a tenth of the patients is still under observation.
        threshold: patients with a risk score of at least this are of high risk.
        n_resamples: of the bootstrap.
        seed: of the bootstrap.
    """

    horizons: tuple[float, ...] | None = None
    truncation_time: float | None = None
    threshold: float | None = None
    n_resamples: int = DEFAULT_RESAMPLES
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Other:
    """Risk scores with which the predictions are compared.

    Args:
        name: readable.
        risk_score: index ``case_id``, higher = earlier event.
        fold: index ``case_id``, if scores of different folds cannot be compared; None if all can.
    """

    name: str
    risk_score: pd.Series
    fold: pd.Series | None = None


def evaluate(
    patients: Patients,
    survival: SurvivalTable,
    settings: EvaluationSettings,
    *,
    fold_names: Sequence[str] = (),
    others: Sequence[Other] = (),
    segmentation: Sequence[LabelDice] = (),
    notes: Sequence[str] = (),
    progress: Progress = silent,
) -> Evaluation:
    """Evaluate predictions.

    Args:
        patients: with predictions and outcomes.
        survival: the table of the outcomes.
        settings: of the user.
        fold_names: by number of the fold.
        others: risk scores to compare the predictions with.
        segmentation: Dice of the masks, to include.
        notes: to add to the evaluation's own.
        progress: shows how far it is.
    """
    cohort = _cohort(patients, np.arange(len(patients.time)), settings, patients.fold)
    horizons = settings.horizons or default_horizons(survival.description.time_unit)
    risk_score, curves = patients.risk_score, patients.curves
    harrell = cross_validated_c(risk_score, cohort)
    has_folds = len(cohort.folds) > 1
    return Evaluation(
        cohort=_facts(patients, survival, cohort),
        harrell_c=harrell.pooled,
        uno_c=uno_c_in_cohort(risk_score, cohort, settings.truncation_time),
        folds=_folds(patients, cohort, harrell.folds, fold_names) if has_folds else [],
        group_column=survival.description.group_column,
        groups=_groups(patients, settings),
        auc=[auc_in_cohort(risk_score, cohort, horizon) for horizon in progress(horizons, "AUC")],
        brier=_at_each(horizons, brier_score_in_cohort, BrierScore.missing, curves, cohort),
        integrated_brier=integrated_brier_score_in_cohort(curves, cohort)
        if curves
        else BrierScore.missing(cohort.follow_up_limit, NO_CURVES, start=0.0),
        calibration=_at_each(horizons, calibration_in_cohort, Calibration.missing, curves, cohort),
        d_calibration=d_calibration(curves, patients.event, patients.time)
        if curves
        else DCalibration.missing(NO_CURVES),
        decision_curves=_at_each(horizons, decision_curve, DecisionCurve.missing, curves, cohort),
        risk_groups=_risk_groups(patients, settings.threshold),
        comparisons=_compare(patients, progress(others, "comparisons"), settings),
        segmentation=list(segmentation),
        notes=[*notes, *_notes(patients, harrell.pooled, has_folds, settings.threshold)],
    )


def _at_each(
    horizons: Sequence[float],
    measure: Callable[[PredictedCurves, ResampledCohort, float], _T],
    missing: Callable[[float, str], _T],
    curves: PredictedCurves | None,
    cohort: ResampledCohort,
) -> list[_T]:
    if curves is None:
        return [missing(horizon, NO_CURVES) for horizon in horizons]
    return [measure(curves, cohort, horizon) for horizon in horizons]


def default_horizons(time_unit: str) -> tuple[float, ...]:
    """Return 1, 2, 3 and 5 years in this unit."""
    return tuple(years * UNITS_A_YEAR[time_unit] for years in DEFAULT_HORIZONS_YEARS)


def horizon_text(horizon: float, time_unit: str) -> str:
    """Write a horizon in years if they are whole, else in its own unit."""
    years = horizon / UNITS_A_YEAR[time_unit]
    if abs(years - round(years)) < 1e-6 and round(years) > 0:
        return count(round(years), "year")
    return time_text(horizon, time_unit)


def high_risk(patients: Patients, threshold: float | None) -> tuple[NDArray[np.bool_] | None, str]:
    """Return who is of high risk and the source of the groups; None and the reason, if no groups are given.

    Raises:
        ValueError: if groups are given in both ways.
    """
    if threshold is None:
        if patients.is_high_risk is not None:
            return patients.is_high_risk, "column risk_group"
        return None, (
            "no risk groups: the predictions have no column risk_group and no --threshold is given; a threshold chosen "
            "on the patients that are evaluated would flatter the result"
        )
    if patients.is_high_risk is not None:
        raise ValueError("The predictions have a column risk_group already; leave --threshold out.")
    if reason := not_finite(patients.risk_score):
        return None, reason
    return patients.risk_score >= threshold, f"risk_score of at least {threshold:g}"


def _risk_groups(patients: Patients, threshold: float | None) -> RiskGroups:
    is_high, source = high_risk(patients, threshold)
    if is_high is None:
        return RiskGroups.missing(source)
    return compare_risk_groups(is_high, patients.event, patients.time, source)


def _cohort(
    patients: Patients, places: NDArray[np.intp], settings: EvaluationSettings, fold: NDArray[np.int64]
) -> ResampledCohort:
    return ResampledCohort(
        patients.event[places],
        patients.time[places],
        fold[places],
        n_resamples=settings.n_resamples,
        seed=settings.seed,
    )


def _facts(patients: Patients, survival: SurvivalTable, cohort: ResampledCohort) -> CohortFacts:
    median = median_follow_up(patients.time, patients.event)
    missing = survival.clinical.loc[patients.case_ids].isna().sum()
    return CohortFacts(
        endpoint=survival.description.endpoint,
        time_unit=survival.description.time_unit,
        n_patients=len(patients.time),
        n_events=int(patients.event.sum()),
        censored_fraction=float(1 - patients.event.mean()),
        median_follow_up=Estimate(
            median, reason="not reached: less than half are censored" if median is None else None
        ),
        last_time=float(patients.time.max()),
        follow_up_limit=cohort.follow_up_limit,
        without_outcome=patients.without_outcome,
        without_prediction=patients.without_prediction,
        missing_values={str(name): int(count) for name, count in missing.items()},
    )


def _folds(
    patients: Patients, cohort: ResampledCohort, scores: Sequence[PairEstimate], names: Sequence[str]
) -> list[PartC]:
    parts = []
    for places, score in zip(cohort.folds, scores, strict=True):
        number = int(patients.fold[places[0]])
        name = names[number] if names else str(number)
        parts.append(PartC(name, len(places), int(patients.event[places].sum()), score))
    return parts


def _groups(patients: Patients, settings: EvaluationSettings) -> list[PartC]:
    if patients.group is None:
        return []
    parts = []
    for name in np.unique(patients.group):
        places = np.flatnonzero(patients.group == name)
        cohort = _cohort(patients, places, settings, patients.fold)
        score = cross_validated_c(patients.risk_score[places], cohort).pooled
        parts.append(PartC(str(name), len(places), int(cohort.event.sum()), score))
    return parts


def _compare(
    patients: Patients, others: Iterable[Other], settings: EvaluationSettings
) -> list[NamedComparison]:
    rows = [_compare_one(patients, other, settings) for other in others]
    corrected = holm([row.result.p_value for row in rows])
    return [replace(row, p_value_holm=p) for row, p in zip(rows, corrected, strict=True)]


def _compare_one(patients: Patients, other: Other, settings: EvaluationSettings) -> NamedComparison:
    """Compare on the patients that have both scores, within the folds of both."""
    case_ids = pd.Index(patients.case_ids)
    has_both = case_ids.isin(other.risk_score.index)
    if not has_both.any():
        raise ValueError(f"{other.name} has none of the evaluated patients.")
    places = np.flatnonzero(has_both)
    common = case_ids[places]
    fold = patients.fold.copy()
    if other.fold is not None:
        fold[places] = fold[places] * (int(other.fold.max()) + 1) + other.fold[common].to_numpy(np.int64)
    result = compare(
        patients.risk_score[places],
        other.risk_score[common].to_numpy(np.float64),
        _cohort(patients, places, settings, fold),
    )
    return NamedComparison(other.name, len(places), list(case_ids[~has_both]), result, None)


def _notes(patients: Patients, score: PairEstimate, has_folds: bool, threshold: float | None) -> list[str]:
    notes = []
    if has_folds:
        notes.append(
            "Patients of different folds are never ranked against each other, and resamples are drawn within folds: "
            "the intervals do not hold the variance between trainings."
        )
        if threshold is not None:
            notes.append(
                "One threshold on the risk score serves all folds, though their scores may not compare."
            )
    if score.interval is not None and score.interval[1] < 0.5:
        notes.append(
            "Patients are ranked the wrong way round: risk_score must be higher for an earlier event."
        )
    if _times_rise_with_risk(patients):
        notes.append("predicted_time rises with risk_score; one of the two seems to have the wrong sign.")
    return notes


def _times_rise_with_risk(patients: Patients) -> bool:
    """Return True if in any fold predicted times tend to rise with risk scores."""
    if patients.predicted_time is None:
        return False
    for number in np.unique(patients.fold):
        places = patients.fold == number
        columns = patients.risk_score[places], patients.predicted_time[places]
        differ = all(np.isfinite(values).all() and np.ptp(values) > 0 for values in columns)
        if differ and spearmanr(*columns).statistic > 0:
            return True
    return False
