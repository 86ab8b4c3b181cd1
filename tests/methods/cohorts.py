"""Patients with features, some of which go with early deaths."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# Six patients who die one after the other.
TIME = np.arange(1.0, 7.0)
EVENT = np.ones(6, dtype=bool)
EARLY = np.array([9.0, 7.0, 8.0, 3.0, 2.0, 1.0])  # high where death is early, C = 14/15
LATE = np.array([0.0, 2.0, 1.0, 3.0, 5.0, 4.0])  # the opposite, C = 2/15
UNRELATED = np.array([0.0, 1.0, 0.0, 0.0, 1.0, 0.0])  # C = 0.5

Cohort = tuple[pd.DataFrame, NDArray[np.bool_], NDArray[np.float64]]


def random_cohort(n_cases: int, n_features: int, seed: int = 0, signal: float = 1.0) -> Cohort:
    """Correlated features; the mean of the first ten goes with early deaths, a third is censored."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n_cases, n_features)) + rng.normal(size=(n_cases, 1))
    death = rng.exponential(np.exp(-signal * values[:, :10].mean(axis=1)))
    censoring = rng.exponential(2, n_cases)
    features = pd.DataFrame(values, columns=[f"feature_{place:04d}" for place in range(n_features)])
    return features, death <= censoring, np.minimum(death, censoring)
