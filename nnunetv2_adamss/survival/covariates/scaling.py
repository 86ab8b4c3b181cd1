"""Z-scores by the training cases, with the training mean for missing values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from nnunetv2_adamss.common.kinds import Kind, check_kinds, is_number, is_positive, list_of
from nnunetv2_adamss.common.messages import listed

# Share of a column's largest number, of single precision; smaller differences say nothing.
_ROUNDING = 1e-6

_KINDS: dict[str, Kind] = {
    "names": list_of(str),
    "means": list_of(is_number),
    "deviations": list_of(is_positive),
    "lowest": list_of(is_number),
    "highest": list_of(is_number),
}


@dataclass(frozen=True)
class Scaling:
    """The scaling of columns of numbers to mean 0 and standard deviation 1; plain data.

    Args:
        names: of the columns, in order.
        means: of the training cases; they also replace values that are missing or not finite.
        deviations: standard deviations of the training cases, > 0.
        lowest: values among the training cases.
        highest: values among the training cases.
    """

    names: tuple[str, ...] = ()
    means: tuple[float, ...] = ()
    deviations: tuple[float, ...] = ()
    lowest: tuple[float, ...] = ()
    highest: tuple[float, ...] = ()

    @classmethod
    def fit(cls, training: pd.DataFrame) -> "Scaling":
        """Fit to the rows of the training cases; columns without values, or constant but for rounding, are left out.

        Raises:
            ValueError: naming the columns, if numbers are so large that they have no mean or standard deviation.
        """
        values = finite(training)
        with np.errstate(over="ignore", invalid="ignore"):  # raised below
            differs = values.max() - values.min() > _ROUNDING * values.abs().max()
            varies = values.columns[differs.to_numpy()]
            kept = values[varies]
            figures = (kept.mean(), kept.std(ddof=0), kept.min(), kept.max())
        if too_large := [str(name) for name in varies if not np.isfinite([of[name] for of in figures]).all()]:
            raise ValueError(
                f"Columns hold numbers that are too large to compute with: {listed(too_large)}. Correct or remove them."
            )
        return cls(tuple(map(str, varies)), *(tuple(map(float, of_columns)) for of_columns in figures))

    def apply(self, table: pd.DataFrame) -> pd.DataFrame:
        """Z-scores of these columns, ``(n_cases, n_columns)``; a missing value is 0, the training mean."""
        values = finite(table[list(self.names)])
        return ((values - self.means) / self.deviations).fillna(0.0)

    def only(self, names: Sequence[str]) -> "Scaling":
        """The scaling of some of the columns, in this order."""
        places = [self.names.index(name) for name in names]
        figures = (self.means, self.deviations, self.lowest, self.highest)
        return Scaling(tuple(names), *(tuple(of_all[i] for i in places) for of_all in figures))

    def to_dict(self) -> dict[str, Any]:
        """Convert the scaling to plain data."""
        return {name: list(values) for name, values in vars(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Scaling":
        """Scaling from plain data, as ``to_dict`` gives it.

        Raises:
            ValueError: if figures are not finite, a deviation is not above 0, or there is not one for each name.
        """
        check_kinds(values, _KINDS)
        columns = {name: tuple(values[name]) for name in _KINDS}
        if any(len(figures) != len(columns["names"]) for figures in columns.values()):
            raise ValueError(f"there are not {len(columns['names'])} figures of each kind")
        return cls(**columns)


def finite(table: pd.DataFrame) -> pd.DataFrame:
    """A table of numbers, with NaN for those that are not finite."""
    return table.replace([np.inf, -np.inf], np.nan)
