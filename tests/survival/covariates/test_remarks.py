"""What is unusual in a patient's covariates is said in words."""

import numpy as np
import pandas as pd

from nnunetv2_adamss.survival.cohort.description import CATEGORY, NUMBER, ORDINAL, ColumnType
from nnunetv2_adamss.survival.covariates.clinical_encoding import fit_indicators
from nnunetv2_adamss.survival.covariates.covariate_model import CovariateModel
from nnunetv2_adamss.survival.covariates.covariate_tables import CovariateTables
from nnunetv2_adamss.survival.covariates.remarks import remarks_on
from nnunetv2_adamss.survival.covariates.scaling import Scaling


def fitted() -> CovariateModel:
    clinical = pd.DataFrame({"age": np.arange(40.0, 52.0), "site": ["tongue", "tonsil"] * 6})
    indicators, _ = fit_indicators(clinical, {"age": ColumnType(NUMBER), "site": ColumnType(CATEGORY)})
    features = pd.DataFrame({"volume": np.arange(1.0, 13.0), "texture": np.linspace(-1, 1, 12)})
    return CovariateModel(tuple(indicators), Scaling.fit(features))


def remarks(age: object, site: object, volume: float, texture: float) -> list[str]:
    tables = CovariateTables(
        clinical=pd.DataFrame({"age": [age], "site": [site]}, index=["new"], dtype=object),
        features=pd.DataFrame({"volume": [volume], "texture": [texture]}, index=["new"]),
    )
    return remarks_on(CovariateModel.from_dict(fitted().to_dict()), tables, ["new"])["new"]


def test_a_patient_like_the_training_cases_gives_rise_to_none() -> None:
    assert remarks("40", "tonsil", 12.0, 1.0) == []


def test_missing_values_are_said_to_be_imputed() -> None:
    assert remarks(np.nan, np.nan, np.nan, 0.0) == [
        "age is not known and was imputed",
        "site is not known and was imputed",
        "imputed features: volume",
    ]


def test_values_that_training_did_not_have_are_said() -> None:
    assert remarks("39.5", "larynx", 12.5, -1.5) == [
        "age 39.5 lies outside the training cases' 40 to 51",
        "site 'larynx' was not among the training cases",
        "features outside the training cases' range: volume, texture",
    ]


def test_a_step_of_an_ordinal_column_is_known_new_or_missing_but_never_out_of_range() -> None:
    grade = pd.DataFrame({"grade": ["low", "middle"] * 6})
    indicators, _ = fit_indicators(grade, {"grade": ColumnType(ORDINAL, ("low", "middle", "high"))})
    model = CovariateModel(tuple(indicators))
    new = pd.DataFrame({"grade": ["middle", "high", "worst", np.nan]}, index=list("abcd"), dtype=object)
    assert remarks_on(model, CovariateTables(clinical=new), list("abcd")) == {
        "a": [],
        "b": [],
        "c": ["grade 'worst' was not among the training cases"],
        "d": ["grade is not known and was imputed"],
    }
