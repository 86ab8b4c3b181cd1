"""Cox's partial likelihood with Breslow's handling of ties, for the LASSO path and its cross-validation."""

import numpy as np
from numpy.typing import NDArray


def partial_log_likelihood(
    log_hazard: NDArray[np.float64], event: NDArray[np.bool_], time: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Log partial likelihood of several models.

    Args:
        log_hazard: ``(n_cases, n_models)``, up to a constant.
        event: ``(n_cases,)``, True = observed.
        time: ``(n_cases,)``.

    Returns:
        ``(n_models,)``; 0 without an event.
    """
    latest_first = np.argsort(-time, kind="stable")
    log_hazard, event, time = log_hazard[latest_first], event[latest_first], time[latest_first]
    log_at_risk = np.logaddexp.accumulate(log_hazard, axis=0)
    # All cases of one time are at risk together: the last index of the time's block.
    last = np.searchsorted(-time, -time[event], side="right") - 1
    return (log_hazard[event] - log_at_risk[last]).sum(axis=0)


def null_residuals(event: NDArray[np.bool_], time: NDArray[np.float64]) -> NDArray[np.float64]:
    """Martingale residuals of the model without covariates, ``(n_cases,)``.

    They are the gradient of the log partial likelihood by each case's log hazard, at 0.
    """
    times, deaths = np.unique(time[event], return_counts=True)
    at_risk = len(time) - np.searchsorted(np.sort(time), times, side="left")
    hazard = np.concatenate([[0.0], np.cumsum(deaths / at_risk)])
    return event - hazard[np.searchsorted(times, time, side="right")]
