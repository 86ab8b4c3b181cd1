"""Calibrate each fold's out-of-fold curves on the other folds, so that the calibration has not seen their outcomes."""

import numpy as np
from numpy.typing import NDArray

from nnunetv2_adamss.prediction.calibration import Calibration
from nnunetv2_adamss.prediction.ensemble import Curves


def cross_fitted(
    survival_curve: Curves,
    event: NDArray[np.bool_],
    time: NDArray[np.floating],
    fold: NDArray[np.integer],
    times: NDArray[np.floating],
) -> Curves:
    """Calibrate S(t) of every case by a fit on the other folds' cases.

    These curves show the calibration that new patients of a single fold can expect; a calibration fitted on the cases
    themselves looks better.

    Args:
        survival_curve: S(t) of cases by the fold that did not train on them, ``(n_cases, n_times)``.
        event: True where the event was observed, ``(n_cases,)``.
        time: time to event or censoring, above 0, ``(n_cases,)``.
        fold: number of the fold that predicted each case, ``(n_cases,)``.
        times: of the curves, ascending, in the unit of ``time``, ``(n_times,)``.

    Raises:
        ValueError: with a single fold, or if the others have too few events.
    """
    numbers = np.unique(fold)
    if len(numbers) < 2:
        raise ValueError("A single fold leaves no others that its calibration could be fitted on.")
    found = np.empty_like(survival_curve)
    for number in numbers:
        own = fold == number
        others = Calibration.fit(survival_curve[~own], event[~own], time[~own], times, time_unit="as given")
        found[own] = others.apply(survival_curve[own])
    return found
