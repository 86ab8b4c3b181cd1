"""Fitted risks of statistical methods; each kind of risk has a file in ``risks/``."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnunetv2_adamss.methods.method import StatisticalFit


class TrainingInputs(NamedTuple):
    """Inputs and outcomes of the training cases.

    Attributes:
        covariates: encoded clinical indicators and selected features, standardised, ``(n_cases, n_covariates)``.
        features: all features, standardised, ``(n_cases, n_features)``; no columns if the method uses none.
        extra: the method's own columns, ``(n_cases, n_extra)``.
        event: ``(n_cases,)``, True = observed.
        time: ``(n_cases,)``.
        seed: of all random draws.
    """

    covariates: pd.DataFrame
    features: pd.DataFrame
    extra: pd.DataFrame
    event: NDArray[np.bool_]
    time: NDArray[np.float64]
    seed: int


class RiskModel(Protocol):
    """A fitted risk; plain data."""

    @property
    def n_parameters(self) -> int:
        """Number of fitted values, for the benchmark's tables."""
        ...

    def risk_score(self, inputs: pd.DataFrame) -> NDArray[np.float64]:
        """Return the risk score, higher for an earlier event, ``(n_cases,)``."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Return the model as plain data."""
        ...


class Risk(Protocol):
    """Interface of the modules in ``risks/``."""

    def fit(self, training: TrainingInputs) -> RiskModel:
        """Fit on the training cases."""
        ...

    def read(self, values: Mapping[str, Any]) -> RiskModel:
        """Read the fitted model from plain data."""
        ...


def risk_of(fit: StatisticalFit) -> Risk:
    """Return the module of ``risks/`` that a row of the table of methods names."""
    risk: Risk = import_module(f"{__package__}.risks.{fit.risk}")
    return risk
