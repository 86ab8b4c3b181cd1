"""A cohort whose hazard comes from two indicators and a feature, and what is fitted on it."""

import numpy as np
import pandas as pd

from nnunetv2_adamss.survival.cohort.description import ColumnType
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.covariates.covariate_model import CovariateModel
from nnunetv2_adamss.survival.covariates.covariate_tables import CovariateTables
from nnunetv2_adamss.survival.covariates.fitting import CovariateReport, fit_covariates
from tests.survival.covariates.cohorts import features, outcomes

N_CASES = 160
FEATURES = features(N_CASES, 12, seed=0)
CASES = list(FEATURES.index)
TRAINING, VALIDATION = CASES[:120], CASES[120:]
TYPES = {"age": ColumnType("number"), "smoker": ColumnType("category"), "shoe": ColumnType("number")}


def clinical_columns() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    age = rng.normal(60, 10, N_CASES)
    age[::9] = np.nan
    smoker = rng.choice(["yes", "no", "former"], N_CASES, p=[0.4, 0.4, 0.2])
    return pd.DataFrame({"age": age, "smoker": smoker, "shoe": rng.normal(42, 2, N_CASES)}, index=CASES)


CLINICAL = clinical_columns()
TABLES = CovariateTables(CLINICAL, TYPES, None, FEATURES)
LOG_HAZARD = (
    (CLINICAL["age"].fillna(60) - 60) / 10 + 2.0 * (CLINICAL["smoker"] == "yes") + FEATURES["feature_001"]
).to_numpy()
EVENT, TIME = outcomes(LOG_HAZARD, seed=1)


def fit(
    tables: CovariateTables = TABLES, event: np.ndarray = EVENT, time: np.ndarray = TIME, **settings: object
) -> tuple[CovariateModel, CovariateReport]:
    config = SurvivalConfig.from_dict(settings)
    return fit_covariates(config, tables, TRAINING, event[:120], time[:120])
