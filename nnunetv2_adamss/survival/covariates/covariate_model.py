"""The transform of a patient's covariates into the network's inputs; fitted once, kept in every checkpoint."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.survival.covariates.covariate_tables import CovariateTables
from nnunetv2_adamss.survival.covariates.indicator import Indicator
from nnunetv2_adamss.survival.covariates.scaling import Scaling, finite

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CovariateModel:
    """The transforms that were fitted on the training cases; plain data.

    Args:
        indicators: the clinical indicators that are used.
        features: the features that are used, and their scaling.
    """

    indicators: tuple[Indicator, ...] = ()
    features: Scaling = field(default_factory=Scaling)

    @property
    def names(self) -> list[str]:
        """Names of the inputs, in the network's order: clinical columns, then features."""
        return [column for one in self.indicators for column in one.columns] + list(self.features.names)

    def inputs(self, tables: CovariateTables, case_ids: Sequence[str]) -> pd.DataFrame:
        """Compute the inputs as a table, ``(n_cases, n_covariates)``.

        A missing number becomes the training median (clinical) or mean (features), a missing category the training
        cases' most frequent one, or a category of its own if it was one in training. A category that was not in the
        training cases counts as rare if there is such a level, else as missing.

        Raises:
            ValueError: if a case has no row, a column is not there, or a column of numbers holds text.
        """
        parts = [pd.DataFrame(index=list(case_ids))]
        if self.indicators:
            clinical = tables.clinical_of(case_ids)
            self._check_there([one.name for one in self.indicators], clinical, "clinical columns")
            parts += [one.encode(tables.values_for(one, case_ids)) for one in self.indicators]
        if self.features.names:
            features = tables.features_of(case_ids)
            self._check_there(self.features.names, features, "features")
            used = finite(features[list(self.features.names)])
            gaps = list(used.index[used.isna().any(axis=1)])
            if gaps:
                logger.warning(
                    "Features of %d case(s) are missing or not finite and get the mean of the training cases: %s.",
                    len(gaps),
                    listed(gaps),
                )
            parts.append(self.features.apply(used))
        return pd.concat(parts, axis=1)

    def apply(self, tables: CovariateTables, case_ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Compute the network's inputs, ``(n_covariates,)`` by ``case_id``.

        Raises:
            ValueError: as from ``inputs``, or if an input is too large for a finite float32.
        """
        table = self.inputs(tables, case_ids)
        with np.errstate(over="ignore"):
            inputs = table.to_numpy(dtype=np.float32)
        is_faulty = ~np.isfinite(inputs)
        if is_faulty.any():
            cases, columns = np.asarray(case_ids)[is_faulty.any(axis=1)], table.columns[is_faulty.any(axis=0)]
            raise ValueError(
                f"covariates of {listed(list(map(str, cases)))} are not finite numbers once they are scaled: "
                f"{listed(list(map(str, columns)))}"
            )
        return dict(zip(case_ids, inputs, strict=True))

    def _check_there(self, names: Sequence[str], table: pd.DataFrame, what: str) -> None:
        missing = [name for name in names if name not in table]
        if missing:
            raise ValueError(
                f"The model needs {what} that are not there: {listed(missing)}. Where a value is not known, add the "
                "column and leave its cells empty."
            )

    def to_dict(self) -> dict[str, Any]:
        """Convert the model to plain data."""
        return {
            "indicators": [one.to_dict() for one in self.indicators],
            "features": self.features.to_dict(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "CovariateModel":
        """Model from plain data, as ``to_dict`` gives it."""
        return cls(
            tuple(Indicator.from_dict(one) for one in values["indicators"]),
            Scaling.from_dict(values["features"]),
        )
