"""The numbers that the network gets beside the image: one row a case, scaled on the training cases (Section 3.3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnunetv2_adamss.survival.messages import listed


def read_covariates(file: Path) -> pd.DataFrame:
    """Read covariates: a column ``case_id`` and any number of number columns; empty cells are missing values.

    Returns:
        Numbers, indexed by ``case_id``.

    Raises:
        ValueError: if the file does not exist, has no or repeated cases, or a column that is not a number.
    """
    if not file.is_file():
        raise ValueError(f"There is no file of covariates {file}.")
    table = pd.read_csv(file, dtype={"case_id": str}, encoding="utf-8-sig")
    if "case_id" not in table:
        raise ValueError(f"{file} has no column case_id, only {listed(list(table.columns))}.")
    repeated = sorted(table.loc[table["case_id"].duplicated(), "case_id"].astype(str).unique())
    if repeated:
        raise ValueError(f"{file} has more than one row for {listed(repeated)}.")
    table = table.set_index("case_id")
    text = [str(name) for name in table.columns if not pd.api.types.is_numeric_dtype(table[name])]
    if text:
        raise ValueError(f"Covariates are numbers, but {file} has other values in {listed(text)}.")
    if not len(table.columns):
        raise ValueError(f"{file} has no covariates beside case_id.")
    return table.astype(float)


@dataclass(frozen=True)
class CovariateScaling:
    """How covariates become the network's inputs; plain data, kept in the checkpoint.

    Args:
        names: in the network's order.
        means: of the training cases; they also stand in for what is missing or not finite.
        deviations: standard deviations of the training cases.
    """

    names: tuple[str, ...] = ()
    means: tuple[float, ...] = ()
    deviations: tuple[float, ...] = ()

    @classmethod
    def fit(cls, covariates: pd.DataFrame, training_cases: Sequence[str]) -> "CovariateScaling":
        """From the training cases only.

        Raises:
            ValueError: if a training case has no row, or a column is the same or missing in all of them.
        """
        values = _rows(covariates, training_cases)
        deviations = values.std(ddof=0)
        useless = [str(name) for name in values.columns if not deviations[name] > 0]
        if useless:
            raise ValueError(
                f"These covariates have one value or none in the training cases, so nothing can be learned from "
                f"them: {listed(useless)}. Remove the columns."
            )
        return cls(
            tuple(str(name) for name in values.columns),
            tuple(float(mean) for mean in values.mean()),
            tuple(float(deviation) for deviation in deviations),
        )

    def apply(
        self, covariates: pd.DataFrame | None, case_ids: Sequence[str]
    ) -> dict[str, NDArray[np.float32]]:
        """The network's inputs, ``(n_covariates,)`` by ``case_id``; a missing value is 0, the training mean.

        Raises:
            ValueError: if a case has no row, or a column is missing.
        """
        if not self.names:
            return {case_id: np.zeros(0, dtype=np.float32) for case_id in case_ids}
        if covariates is None:
            raise ValueError(
                f"The model needs the covariates {listed(list(self.names))}, but none are given."
            )
        missing = [name for name in self.names if name not in covariates]
        if missing:
            raise ValueError(f"The model needs covariates that are not there: {listed(missing)}.")
        values = _rows(covariates[list(self.names)], case_ids).to_numpy()
        scaled = np.nan_to_num((values - self.means) / self.deviations, nan=0.0).astype(np.float32)
        return dict(zip(case_ids, scaled, strict=True))

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {"names": list(self.names), "means": list(self.means), "deviations": list(self.deviations)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "CovariateScaling":
        """From plain data."""
        return cls(*(tuple(values[key]) for key in ("names", "means", "deviations")))


def _rows(covariates: pd.DataFrame, case_ids: Sequence[str]) -> pd.DataFrame:
    missing = [case_id for case_id in case_ids if case_id not in covariates.index]
    if missing:
        raise ValueError(
            f"{len(missing)} case(s) have no covariates: {listed(missing)}. Each case needs a row."
        )
    return covariates.loc[list(case_ids)].replace([np.inf, -np.inf], np.nan)
