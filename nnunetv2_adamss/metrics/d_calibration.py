"""D-calibration: test that predicted survival probabilities at the times of the events are spread evenly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chisquare

from nnunetv2_adamss.metrics.patient_columns import Column, patient_columns
from nnunetv2_adamss.metrics.survival_curves import PredictedCurves

N_BINS = 10
_LEAST_EXPECTED = 5  # patients in a bin, below which the chi-square distribution does not hold


@dataclass(frozen=True)
class DCalibration:
    """Result of the test of D-calibration.

    Attributes:
        p_value: small where the curves are not calibrated; None if not estimable.
        chi_square: the statistic, with one degree of freedom less than bins.
        shares: of the patients whose probability lies in each tenth, from [0, 0.1] up; 0.1 each is ideal.
        reason: why there is no test; None if there is.
    """

    p_value: float | None
    chi_square: float | None
    shares: list[float]
    reason: str | None = None

    @classmethod
    def missing(cls, reason: str) -> DCalibration:
        """A test that cannot be made."""
        return cls(None, None, [], reason)


def d_calibration(curves: PredictedCurves, event: Column, time: Column) -> DCalibration:
    """Test D-calibration (Haider et al., JMLR 2020).

    The curve at a patient's own event time is uniform on [0, 1] if the curves are right. A patient who is censored
    where the curve is at s could have any value below, and is spread over them. Times after the end of the curves count
    as censored there.

    Args:
        curves: of the patients.
        event: ``(n_cases,)``.
        time: ``(n_cases,)``.
    """
    event, time = patient_columns(event=event, time=time)
    n_cases, end = len(time), curves.times[-1]
    if n_cases < _LEAST_EXPECTED * N_BINS:
        least = _LEAST_EXPECTED * N_BINS
        return DCalibration.missing(f"not estimable: {n_cases} patients, at least {least} are needed")
    if not event.any():
        return DCalibration.missing("not estimable: no events")
    value = curves.at_own(np.minimum(time, end))
    is_event = event & (time <= end)
    counts = _counts_of_events(value[is_event]) + _spread(value[~is_event])
    test = chisquare(counts)
    return DCalibration(float(test.pvalue), float(test.statistic), (counts / n_cases).tolist())


def _counts_of_events(value: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.histogram(value, bins=N_BINS, range=(0, 1))[0].astype(np.float64)


def _spread(value: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum over censored patients of the part of [0, s] that lies in each bin; all in the first bin for s = 0."""
    lower = np.arange(N_BINS) / N_BINS
    covered = np.clip(value[:, None] - lower, 0, 1 / N_BINS)
    covered[value == 0, 0] = 1
    return (covered / covered.sum(axis=1, keepdims=True)).sum(axis=0)
