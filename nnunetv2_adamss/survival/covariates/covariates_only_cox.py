"""A Cox model on the covariates alone: what the image has to add to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnunetv2_adamss.survival.covariates.cox_fit import fit_cox

# choice: the paper has no such model. A little ridge bears columns that separate the events or say the same.
_RIDGE = 0.1


@dataclass(frozen=True)
class CovariatesOnlyCox:
    """A ridge Cox model on the network's covariates; plain data.

    Args:
        names: of the inputs.
        weights: log hazard ratio of one unit of each input.
    """

    names: tuple[str, ...]
    weights: tuple[float, ...]

    @classmethod
    def fit(
        cls, inputs: pd.DataFrame, event: NDArray[np.bool_], time: NDArray[np.float64]
    ) -> "CovariatesOnlyCox | None":
        """Fit on the training cases; None without covariates.

        Args:
            inputs: ``(n_cases, n_covariates)``.
            event: ``(n_cases,)``, True = observed.
            time: ``(n_cases,)``.
        """
        if not len(inputs.columns):
            return None
        fit = fit_cox(inputs, event, time, ridge=_RIDGE)
        return cls(tuple(map(str, inputs)), tuple(float(weight) for weight in fit.weights))

    def risk_score(self, inputs: pd.DataFrame) -> NDArray[np.float64]:
        """Higher for an earlier event, ``(n_cases,)``."""
        return inputs[list(self.names)].to_numpy(dtype=np.float64) @ np.array(self.weights)

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {"names": list(self.names), "weights": list(self.weights)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "CovariatesOnlyCox":
        """From plain data."""
        return cls(tuple(values["names"]), tuple(values["weights"]))
