"""Brier score of survival probabilities, compared with that of one curve for all patients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from nnunetv2_adamss.metrics.estimate import Estimate, bootstrap_estimate
from nnunetv2_adamss.metrics.patient_columns import Column
from nnunetv2_adamss.metrics.resampling import DEFAULT_RESAMPLES, ResampledCohort
from nnunetv2_adamss.metrics.settings import check_settings
from nnunetv2_adamss.metrics.step_curves import kaplan_meier_curves
from nnunetv2_adamss.metrics.survival_curves import PredictedCurves

_GRID_STEPS = 100


@dataclass(frozen=True)
class BrierScore:
    """A Brier score between 0 (perfect) and 1; predicting 50% for all patients scores 0.25.

    Attributes:
        start: of the integral; equal to ``end`` for the score at one horizon.
        end: in the unit of the times.
        score: that of the predictions.
        kaplan_meier: the score of predicting the evaluated patients' own Kaplan-Meier curve for each of them.
        skill: ``1 - score / kaplan_meier``, 0 for a prediction as good as that curve.
    """

    start: float
    end: float
    score: Estimate
    kaplan_meier: Estimate
    skill: Estimate

    @classmethod
    def missing(cls, end: float, reason: str, start: float | None = None) -> BrierScore:
        """A score that cannot be estimated, at one horizon unless ``start`` is given."""
        none = Estimate(None, reason=reason)
        return cls(end if start is None else start, end, none, none, none)


def brier_score(
    survival_prob: Column,
    event: Column,
    time: Column,
    horizon: float,
    *,
    n_resamples: int = DEFAULT_RESAMPLES,
    seed: int = 0,
) -> BrierScore:
    """Brier score of survival probabilities at a horizon, with its 95% interval.

    Arrays, lists and pandas columns are taken as by :func:`harrell_c`.

    Args:
        survival_prob: predicted probability of living beyond the horizon, ``(n_cases,)``.
        event: True or 1 where the event was observed, ``(n_cases,)``.
        time: to event or censoring, ``(n_cases,)``.
        horizon: in the unit of the times.
        n_resamples: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        ValueError: as from :func:`bootstrap_harrell_c`, or if the horizon is not above 0, a probability is not from 0
            to 1, or a pandas column is labelled with another time than the horizon.

    Examples:
        >>> import numpy as np
        >>> import nnunetv2_adamss as adamss
        >>> time = np.arange(1, 61)
        >>> event = time % 3 > 0  # every third patient is censored
        >>> survival_prob = np.where(time > 25, 0.8, 0.3)
        >>> found = adamss.brier_score(survival_prob, event, time, horizon=30)
        >>> round(found.score.value, 3), round(found.kaplan_meier.value, 3)  # of the predictions; of no prediction
        (0.092, 0.232)
    """
    (horizon,) = check_settings(horizon=horizon)
    cohort = ResampledCohort(event, time, n_resamples=n_resamples, seed=seed)
    return brier_score_in_cohort(PredictedCurves.in_cohort(survival_prob, horizon, cohort), cohort, horizon)


def integrated_brier_score(
    survival_prob: ArrayLike | pd.DataFrame,
    event: Column,
    time: Column,
    times: ArrayLike,
    *,
    n_resamples: int = DEFAULT_RESAMPLES,
    seed: int = 0,
) -> BrierScore:
    """Mean Brier score over time, from 0 to the end of the curves or of the follow-up, with its 95% interval.

    Survival is 1 at time 0, and a straight line between the times. Arrays, lists and pandas tables are taken as by
    :func:`harrell_c`.

    Args:
        survival_prob: predicted probability of living beyond each of the times, ``(n_cases, n_times)``. Columns of a
            pandas table that are labelled with a time, such as 365 or ``survival_at_365``, must be in the order of the
            times.
        event: True or 1 where the event was observed, ``(n_cases,)``.
        time: to event or censoring, ``(n_cases,)``.
        times: of the columns of ``survival_prob``, ``(n_times,)``.
        n_resamples: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        ValueError: as from :func:`brier_score`, or if there are more times than columns, or fewer, or a column is
            labelled with another time than its own.

    Examples:
        >>> import numpy as np
        >>> import nnunetv2_adamss as adamss
        >>> time = np.arange(1, 61)
        >>> event = time % 3 > 0  # every third patient is censored
        >>> times = [15, 30, 45]
        >>> survival_prob = np.clip(1 - np.outer(60 / (time + 30), times) / 60, 0, 1)
        >>> found = adamss.integrated_brier_score(survival_prob, event, time, times)
        >>> round(found.score.value, 3), found.end
        (0.116, 45.0)
    """
    cohort = ResampledCohort(event, time, n_resamples=n_resamples, seed=seed)
    return integrated_brier_score_in_cohort(PredictedCurves.in_cohort(survival_prob, times, cohort), cohort)


def brier_score_in_cohort(curves: PredictedCurves, cohort: ResampledCohort, horizon: float) -> BrierScore:
    """Mean squared error of the predicted survival at a horizon (Graf et al., Statistics in Medicine 1999).

    Patients with an event at t weigh 1 / G(t-), those who are seen beyond the horizon h weigh 1 / G(h), where G is the
    Kaplan-Meier curve of censoring, estimated again in each resample. Folds are evaluated together, since probabilities
    of different folds can be compared.

    Args:
        curves: of the patients.
        cohort: the patients.
        horizon: in the unit of the times.
    """
    reason = cohort.too_few_events(horizon) or beyond_curves(curves, horizon)
    return _score(curves, cohort, np.array([horizon]), reason)


def integrated_brier_score_in_cohort(curves: PredictedCurves, cohort: ResampledCohort) -> BrierScore:
    """The mean Brier score from 0 to the end of the predicted curves or of the follow-up, whichever is first.

    Arguments as for ``brier_score_in_cohort``; trapezoids on a hundred equal steps.
    """
    grid = np.linspace(0, min(curves.times[-1], cohort.follow_up_limit), _GRID_STEPS + 1)
    grid = grid[grid < cohort.follow_up_limit]
    return _score(curves, cohort, grid, cohort.too_few_events(grid[-1]))


def beyond_curves(curves: PredictedCurves, horizon: float) -> str | None:
    """Return the reason why there is no predicted probability at a horizon, or None."""
    if horizon <= curves.times[-1]:
        return None
    return f"beyond the predicted curves, which end at {curves.times[-1]:g}"


def _score(
    curves: PredictedCurves, cohort: ResampledCohort, times: NDArray[np.float64], reason: str | None
) -> BrierScore:
    start, end = float(times[0]), float(times[-1])
    if reason:
        return BrierScore.missing(end, reason, start)
    everybody = kaplan_meier_curves(cohort.counts[:1], cohort.event, cohort.time).at(times)
    predicted = mean_over_times(brier_scores(curves.at(times), cohort, times), times)
    null = mean_over_times(
        brier_scores(np.broadcast_to(everybody, (len(cohort.time), len(times))), cohort, times), times
    )
    # If all resampled patients live, or all die, the curve is perfect and skill is undefined.
    skill = 1 - np.divide(predicted, null, out=np.full_like(null, np.nan), where=null > 0)
    return BrierScore(start, end, *map(_estimate, (predicted, null, skill)))


def _estimate(resampled: NDArray[np.float64]) -> Estimate:
    return bootstrap_estimate(resampled, "have no patient under observation at a time")


def brier_scores(
    survival_prob: NDArray[np.floating], cohort: ResampledCohort, times: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Brier scores of the patients (row 0) and of each resample.

    Args:
        survival_prob: at each of the times, ``(n_cases, n_times)`` in [0, 1].
        cohort: the patients.
        times: below the cohort's limit of follow-up, ``(n_times,)``.

    Returns:
        ``(1 + n_resamples, n_times)``; NaN where no patient of a resample is under observation at a time.
    """
    had_event = cohort.event[:, None] & (cohort.time[:, None] <= times)
    lives_on = cohort.time[:, None] > times
    of_events = (cohort.counts * cohort.event_weights) @ (had_event * survival_prob**2)
    of_survivors = cohort.counts.astype(np.float64) @ (lives_on * (1 - survival_prob) ** 2)
    chance = cohort.censoring.at(times)
    nobody = np.full_like(of_survivors, np.nan)
    return (of_events + np.divide(of_survivors, chance, out=nobody, where=chance > 0)) / len(cohort.time)


def mean_over_times(values: NDArray[np.float64], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Integral by trapezoids over its range, ``(n, n_times)`` to ``(n,)``; the value itself for one time."""
    if len(times) == 1:
        return values[:, 0]
    return np.trapezoid(values, times, axis=1) / (times[-1] - times[0])
