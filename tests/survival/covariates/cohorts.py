"""Made-up cohorts whose hazard is known, for the tests of this folder."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def outcomes(
    log_hazard: NDArray[np.float64], seed: int, censored: float = 0.4
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Event and time of patients with these log hazards, in whole days, so that there are ties."""
    rng = np.random.default_rng(seed)
    time = rng.exponential(300 * np.exp(-log_hazard))
    event = rng.random(len(time)) > censored
    return event, np.ceil(np.where(event, time, rng.random(len(time)) * time) + 1)


def features(n_cases: int, n_features: int, seed: int) -> pd.DataFrame:
    """Independent normal features by case."""
    values = np.random.default_rng(seed).normal(size=(n_cases, n_features))
    names = [f"feature_{i:03d}" for i in range(n_features)]
    return pd.DataFrame(values, index=[f"case_{i:03d}" for i in range(n_cases)], columns=names)
