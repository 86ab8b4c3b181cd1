"""What a statistical method has fitted: a weighted sum for most, an ensemble for ICARE."""

from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray


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
