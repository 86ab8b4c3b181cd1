"""The only place where the sign changes: times rank late events high, risk scores rank early events high."""

import numpy as np
from numpy.typing import NDArray


def risk_score_from_time(predicted_time: NDArray[np.floating]) -> NDArray[np.float64]:
    """Risk score, higher for an earlier event, of predicted times, higher for a later one."""
    return -np.asarray(predicted_time, dtype=np.float64)


def time_order_from_risk(risk_score: NDArray[np.floating]) -> NDArray[np.float64]:
    """Risk scores turned into the order of survival times, which lifelines ranks."""
    return -np.asarray(risk_score, dtype=np.float64)
