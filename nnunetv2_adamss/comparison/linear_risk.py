"""A risk that is a weighted sum of numbers: what most statistical methods come down to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnunetv2_adamss.survival.covariates.covariates_only_cox import CovariatesOnlyCox


class RiskModel(Protocol):
    """What a statistical method has fitted; plain data."""

    @property
    def n_parameters(self) -> int:
        """How many numbers were fitted."""
        ...

    def risk_score(self, inputs: pd.DataFrame) -> NDArray[np.float64]:
        """Higher for an earlier event, ``(n_cases,)``."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        ...


@dataclass(frozen=True)
class LinearRisk:
    """A weighted sum.

    Args:
        names: of the inputs.
        weights: of one unit of each.
    """

    names: tuple[str, ...]
    weights: tuple[float, ...]

    @property
    def n_parameters(self) -> int:
        """One for each input."""
        return len(self.weights)

    @classmethod
    def cox(cls, inputs: pd.DataFrame, event: NDArray[np.bool_], time: NDArray[np.float64]) -> "LinearRisk":
        """A ridge Cox model; without inputs, everybody's risk is 0.

        Args:
            inputs: ``(n_cases, n_columns)``, standardised.
            event: ``(n_cases,)``, True = observed.
            time: ``(n_cases,)``.
        """
        # choice: the same ridge as beside the network; no publication of a comparison method gives one.
        model = CovariatesOnlyCox.fit(inputs, event, time)
        return cls((), ()) if model is None else cls(model.names, model.weights)

    def risk_score(self, inputs: pd.DataFrame) -> NDArray[np.float64]:
        """Higher for an earlier event, ``(n_cases,)``."""
        return inputs[list(self.names)].to_numpy(dtype=np.float64) @ np.array(self.weights, dtype=np.float64)

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {"names": list(self.names), "weights": list(self.weights)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "LinearRisk":
        """From plain data."""
        return cls(tuple(values["names"]), tuple(values["weights"]))
