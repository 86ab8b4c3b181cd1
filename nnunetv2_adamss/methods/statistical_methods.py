"""The statistical methods of Table I and the baselines: what each looks at, and how its risk comes about."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnunetv2_adamss.methods.catalogue import CATALOGUE, CatalogueEntry
from nnunetv2_adamss.methods.icare import IcareModel, fit_icare
from nnunetv2_adamss.methods.risk_model import RiskModel
from nnunetv2_adamss.metrics.volume_and_uptake import SUV_MAX, TUMOUR_VOLUME
from nnunetv2_adamss.survival.covariates.covariate_tables import CovariateUse
from nnunetv2_adamss.survival.covariates.linear_risk import LinearRisk

DEEP_RISK = "deep_risk"
# choice: the publications put no limit on the LASSO; the ridge bears more columns than events.
_NO_LIMIT = 100_000


class TrainingInputs(NamedTuple):
    """What a method is fitted on.

    Attributes:
        covariates: encoded clinical indicators and selected features, standardised, ``(n_cases, n_covariates)``.
        features: all features, standardised, ``(n_cases, n_features)``; no columns where the method uses none.
        extra: the method's own columns, ``(n_cases, n_extra)``.
        event: ``(n_cases,)``, True = observed.
        time: ``(n_cases,)``.
        seed: of what is random.
    """

    covariates: pd.DataFrame
    features: pd.DataFrame
    extra: pd.DataFrame
    event: NDArray[np.bool_]
    time: NDArray[np.float64]
    seed: int


@dataclass(frozen=True)
class StatisticalMethod:
    """One method.

    Args:
        entry: what it is called and what it looks at.
        fit: on the training cases.
        read: a fitted model from plain data.
        settings: of ``SurvivalConfig``, which the method does not leave to the user.
        all_features: whether ``fit`` gets all features, not only selected ones.
        extra: names of the method's own columns.
    """

    entry: CatalogueEntry
    fit: Callable[[TrainingInputs], RiskModel]
    read: Callable[[Mapping[str, Any]], RiskModel] = LinearRisk.from_dict
    settings: Mapping[str, Any] = field(default_factory=dict)
    all_features: bool = False
    extra: tuple[str, ...] = ()

    @property
    def use(self) -> CovariateUse:
        """The covariates that are selected from and encoded."""
        return CovariateUse(self.entry.radiomics, self.entry.clinical)


def _cox(training: TrainingInputs) -> LinearRisk:
    return LinearRisk.cox(training.covariates, training.event, training.time)


def _cox_with_deep_risk(training: TrainingInputs) -> LinearRisk:
    # The ridge weighs all columns alike, so they are standardised, but new patients come in the network's unit.
    deviation = float(training.extra[DEEP_RISK].std(ddof=0)) or 1.0
    inputs = pd.concat([training.covariates, training.extra / deviation], axis=1)
    cox = LinearRisk.cox(inputs, training.event, training.time)
    units = [deviation if name == DEEP_RISK else 1.0 for name in cox.names]
    return LinearRisk(cox.names, tuple(w / unit for w, unit in zip(cox.weights, units, strict=True)))


def _icare(training: TrainingInputs) -> IcareModel:
    # choice: every estimator sees the clinical indicators, beside the features that it draws.
    return fit_icare(
        pd.concat([training.features, training.covariates], axis=1),
        training.event,
        training.time,
        seed=training.seed,
        mandatory=[str(name) for name in training.covariates],
    )


def _column(name: str, training: TrainingInputs) -> LinearRisk:
    return LinearRisk((name,), (1.0,))


def _mean_of_deep_and_cox(training: TrainingInputs) -> LinearRisk:
    """choice: the mean of both risks, each in standard deviations of the training cases."""
    cox = LinearRisk.cox(training.covariates, training.event, training.time)
    deviation = float(np.std(cox.risk_score(training.covariates)))
    deep_deviation = float(training.extra[DEEP_RISK].std(ddof=0))
    return LinearRisk(
        (*cox.names, DEEP_RISK),
        (
            *(weight / (2 * deviation) if deviation else 0.0 for weight in cox.weights),
            1 / (2 * deep_deviation) if deep_deviation else 0.0,
        ),
    )


METHODS: Mapping[str, StatisticalMethod] = MappingProxyType({method.entry.name: method for method in (
    StatisticalMethod(
        CATALOGUE["lasso_cox"], _cox, settings={"feature_selection": "lasso", "max_features": _NO_LIMIT}
    ),
    StatisticalMethod(
        CATALOGUE["icare"], _icare, IcareModel.from_dict,
        # Nothing is selected beforehand: what helps is what the method is about.
        settings={"feature_selection": "lasso", "max_features": 0, "clinical_selection": "none"},
        all_features=True,
    ),
    StatisticalMethod(CATALOGUE["deepmtlr_cox"], _mean_of_deep_and_cox, extra=(DEEP_RISK,)),
    StatisticalMethod(CATALOGUE["radio_deepmts"], _cox_with_deep_risk, extra=(DEEP_RISK,)),
    StatisticalMethod(CATALOGUE["covariates_cox"], _cox),
    StatisticalMethod(CATALOGUE["tumour_volume"], partial(_column, TUMOUR_VOLUME), extra=(TUMOUR_VOLUME,)),
    StatisticalMethod(CATALOGUE["suv_max"], partial(_column, SUV_MAX), extra=(SUV_MAX,)),
)})  # fmt: skip
