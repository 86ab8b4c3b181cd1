"""The seven prognostic signals of a phantom patient, drawn so that none predicts another."""

import logging

import numpy as np
import pandas as pd
from scipy.stats import truncnorm

logger = logging.getLogger(__name__)

IMAGE_SIGNALS = ("volume", "heterogeneity", "n_nodes", "out_of_tumour_uptake", "ct_only_pattern")
CLINICAL_SIGNALS = ("age", "hpv")
SIGNALS = IMAGE_SIGNALS + CLINICAL_SIGNALS

MAX_NODES = 4
AGE_MEAN_YEARS = 62.0
AGE_SD_YEARS = 9.0
# Below this, seven columns use up the degrees of freedom that make them uncorrelated.
MIN_DECORRELATED_COHORT = 20

_CONTINUOUS = ("volume", "heterogeneity", "out_of_tumour_uptake", "ct_only_pattern", "age")
# Tails are cut so that the largest tumour still fits in the neck.
_TRUNCATION_SD = 2.5
# The order in which pairs of patients get a node count: every prefix stays centred on 2, the middle.
_NODE_ORDER = (2, 1, 3, 0, 4)
# Mean and SD of each signal in the population, not in the sample, so that training and test cohorts share one
# hazard: the counts 0..4 and the flags 0, 1 are equally frequent.
_POPULATION = {
    "n_nodes": (2.0, np.sqrt(2.0)),
    "hpv": (0.5, 0.5),
    "age": (AGE_MEAN_YEARS, AGE_SD_YEARS),
}


def draw_signals(n_patients: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw the signals of one cohort; with 20 patients or more, every pairwise |r| is below 0.05.

    The property holds in the sample, not only in expectation: node number and HPV follow a balanced design,
    and each continuous signal is residualised against all columns drawn before it. The price is that the
    signals of a patient depend on the size of the cohort.

    Args:
        n_patients: at least 1. Cohorts under 20 are decorrelated as far as possible, with a log warning.
        rng: source of randomness.

    Returns:
        One row a patient, columns ``SIGNALS``: ``n_nodes`` in 0..4, ``age`` in years, ``hpv`` 0 or 1, and the
        others in standard deviations (mean 0, SD 1).

    Raises:
        ValueError: if ``n_patients`` is below 1.
    """
    if n_patients < 1:
        raise ValueError(f"A cohort needs at least 1 patient, but n_patients is {n_patients}.")
    if n_patients < MIN_DECORRELATED_COHORT:
        logger.warning(
            "A cohort of %d patients is too small to keep the signals uncorrelated (needs %d).",
            n_patients,
            MIN_DECORRELATED_COHORT,
        )
    columns = _balanced_nodes_and_hpv(n_patients, rng)
    for name in _CONTINUOUS:
        columns[name] = _uncorrelated_column(np.column_stack(list(columns.values())), rng)
    columns["age"] = np.round(AGE_MEAN_YEARS + AGE_SD_YEARS * columns["age"], 1)
    signals = pd.DataFrame(columns)[list(SIGNALS)]
    return signals.astype({"n_nodes": int, "hpv": int})


def standardise(signals: pd.DataFrame) -> pd.DataFrame:
    """Express every signal in population standard deviations, as they enter the hazard."""
    standardised = signals.astype(float)
    for name, (mean, sd) in _POPULATION.items():
        standardised[name] = (standardised[name] - mean) / sd
    return standardised


def _balanced_nodes_and_hpv(n_patients: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    # Patients come in pairs with the same node number and opposite HPV status, so the two cannot correlate.
    # An odd one out has 2 nodes, the middle, and adds next to nothing to the covariance.
    pair = np.arange(n_patients) // 2
    n_nodes = np.array(_NODE_ORDER)[pair % len(_NODE_ORDER)].astype(float)
    hpv = (np.arange(n_patients) % 2).astype(float)
    if n_patients % 2:
        n_nodes[-1], hpv[-1] = 2, rng.integers(2)
    order = rng.permutation(n_patients)
    return {"n_nodes": n_nodes[order], "hpv": hpv[order]}


def _uncorrelated_column(earlier: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    n_patients = len(earlier)
    limits = truncnorm(-_TRUNCATION_SD, _TRUNCATION_SD)
    column = limits.ppf(rng.uniform(size=n_patients)) / limits.std()
    design = np.column_stack([np.ones(n_patients), earlier])
    if n_patients <= design.shape[1] + 1:
        return column
    residual = column - design @ np.linalg.lstsq(design, column)[0]
    return residual / residual.std()
