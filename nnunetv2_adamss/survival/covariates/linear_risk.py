"""A risk as a weighted sum of numbers, such as that of a Cox model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnunetv2_adamss.common.kinds import Kind, check_kinds, list_of, number_within
from nnunetv2_adamss.survival.covariates.cox_fit import fit_cox

# choice: neither the paper, which has no model of the covariates alone, nor the publication of a comparison method
# gives a ridge. A small one allows columns that separate the events or are collinear.
RIDGE = 0.1
# Larger log hazard ratios mean a damaged file: exp(10) already is a ratio of 22,000.
_MAX_WEIGHT = 1e6
_KINDS: dict[str, Kind] = {
    "names": list_of(str),
    "weights": list_of(number_within(-_MAX_WEIGHT, _MAX_WEIGHT)),
}


@dataclass(frozen=True)
class LinearRisk:
    """A weighted sum of inputs; plain data.

    Args:
        names: of the inputs.
        weights: of one unit of each; in a Cox model, its log hazard ratio.
    """

    names: tuple[str, ...]
    weights: tuple[float, ...]

    @property
    def n_parameters(self) -> int:
        """Number of weights, one for each input."""
        return len(self.weights)

    @classmethod
    def cox(cls, inputs: pd.DataFrame, event: NDArray[np.bool_], time: NDArray[np.float64]) -> "LinearRisk":
        """Fit a ridge Cox model; without inputs, all risks are 0.

        Args:
            inputs: of the training cases, standardised, ``(n_cases, n_columns)``.
            event: ``(n_cases,)``, True = observed.
            time: ``(n_cases,)``.
        """
        if not len(inputs.columns):
            return cls((), ())
        fit = fit_cox(inputs, event, time, ridge=RIDGE)
        return cls(tuple(map(str, inputs)), tuple(float(weight) for weight in fit.weights))

    def risk_score(self, inputs: pd.DataFrame) -> NDArray[np.float64]:
        """Risk score, higher for an earlier event, ``(n_cases,)``."""
        return inputs[list(self.names)].to_numpy(dtype=np.float64) @ np.array(self.weights, dtype=np.float64)

    def to_dict(self) -> dict[str, Any]:
        """Convert the weights to plain data."""
        return {"names": list(self.names), "weights": list(self.weights)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "LinearRisk":
        """Risk from plain data, as ``to_dict`` gives it.

        Raises:
            ValueError: if a weight is not finite or implausibly large, or there is not one for each name.
        """
        check_kinds(values, _KINDS, " of a weighted sum")
        names, weights = values["names"], values["weights"]
        if len(names) != len(weights):
            raise ValueError(f"there are {len(names)} inputs, but {len(weights)} weights")
        return cls(tuple(names), tuple(weights))
