"""Survival outcomes that follow from the signals: Weibull times, random censoring, and the oracle's C-index.

The model is proportional hazards: h(t | z) = h0(t) exp(sum_k log_hazard_ratio_k z_k) with z_k in SDs, and h0
the Weibull hazard with S0(t) = exp(-(t / scale)^shape). Times follow by inversion (Bender, Augustin and
Blettner, Statistics in Medicine 2005).
"""

import math
from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from nnunetv2_adamss.datasets.phantom.signals import SIGNALS, standardise


def linear_predictor(
    signals: pd.DataFrame, log_hazard_ratio: Mapping[str, float], switched_on: Collection[str]
) -> np.ndarray:
    """The true risk: the log hazard ratio of each patient against an average one.

    Args:
        signals: as ``draw_signals`` returns them.
        log_hazard_ratio: of one SD, for each signal.
        switched_on: signals that count; none gives a null cohort, in which all risks are exactly 0.

    Returns:
        ``(n_patients,)``; higher = earlier event.
    """
    z = standardise(signals)
    risk = np.zeros(len(z))
    for name in SIGNALS:
        if name in switched_on:
            risk += log_hazard_ratio[name] * z[name].to_numpy()
    return risk


def weibull_times(risk: np.ndarray, uniform: np.ndarray, shape: float, scale_days: float) -> np.ndarray:
    """Times to event in days for the given linear predictors, by inverting S(t) at ``uniform`` in (0, 1]."""
    return scale_days * (-np.log(uniform) * np.exp(-risk)) ** (1.0 / shape)


def censoring_scale(event_time: np.ndarray, uniform: np.ndarray, fraction: float) -> float:
    """The scale s at which censoring times ``s * uniform`` censor as near to ``fraction`` as can be.

    A patient is censored when s * u < t, that is when t / u > s: the share is a step function of s with its
    steps at the ratios t / u, so the right step can be read off, without a search.

    Args:
        event_time: uncensored times, ``(n,)``, > 0.
        uniform: of the censoring times, ``(n,)``, in (0, 1].
        fraction: in [0, 1).

    Returns:
        The scale, in the unit of ``event_time``; infinite when no patient is to be censored.
    """
    ratios = np.sort(event_time / uniform)
    n_events = len(ratios) - round(fraction * len(ratios))
    if n_events == len(ratios):
        return math.inf
    if n_events == 0:
        return float(ratios[0] / 2)
    return float(math.sqrt(ratios[n_events - 1] * ratios[n_events]))


def observe(event_time: np.ndarray, censoring_time: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the outcomes that follow-up shows of the true times.

    Returns:
        ``event`` (1 = observed, 0 = censored) and ``time`` (the earlier of the two), both ``(n,)``.
    """
    event = (event_time <= censoring_time).astype(int)
    return event, np.minimum(event_time, censoring_time)


def oracle_c_index(risk: np.ndarray, event: np.ndarray, time: np.ndarray) -> float:
    """Return Harrell's C-index of the true risk, which no prediction can beat by more than chance.

    Returns:
        In [0, 1]; 0.5 for a null cohort; NaN when no two patients can be compared.
    """
    # Imported here, because lifelines takes seconds and processes that only write images do not need it.
    from lifelines.utils import concordance_index  # noqa: PLC0415

    try:
        # lifelines ranks predicted survival, so the sign of the risk is turned here.
        return float(concordance_index(time, -risk, event))
    except ZeroDivisionError:  # lifelines' way to say that no pair is admissible
        return math.nan
