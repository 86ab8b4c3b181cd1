"""A statistical method as fitted on a fold: the encoding of its covariates, and its risk model."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnunetv2_adamss.common.json_object import parse_object
from nnunetv2_adamss.common.kinds import Kind, check_kinds, is_number, number_within
from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.methods.method import Method
from nnunetv2_adamss.methods.statistical.deep_network import DeepNetwork
from nnunetv2_adamss.methods.statistical.risk_model import RiskModel, risk_of
from nnunetv2_adamss.methods.table import STATISTICAL
from nnunetv2_adamss.survival.covariates.covariate_tables import CovariateTables
from nnunetv2_adamss.survival.covariates.scaling import Scaling
from nnunetv2_adamss.survival.fold import SurvivalFold
from nnunetv2_adamss.trained_folds.complete_folds import check_fitted
from nnunetv2_adamss.trained_folds.fold_files import MODEL_FILE

_KINDS: dict[str, Kind] = {"mean_risk": is_number, "risk_deviation": number_within(0, math.inf)}


@dataclass(frozen=True, eq=False)
class FittedModel:
    """One fold of a statistical method; plain data.

    Args:
        method: which.
        fold: cases, settings, and encoding of the covariates.
        features: encoding of all features, if the method uses all.
        model: of the risk.
        mean_risk: of the training cases.
        risk_deviation: standard deviation of the risk in the training cases.
        deep: the network whose risk is one of the inputs; None for most methods.
    """

    method: Method
    fold: SurvivalFold
    features: Scaling
    model: RiskModel
    mean_risk: float
    risk_deviation: float
    deep: DeepNetwork | None = None

    def risk_score(
        self, tables: CovariateTables, case_ids: Sequence[str], extra: pd.DataFrame
    ) -> NDArray[np.float64]:
        """Return the risk score, higher for an earlier event, ``(n_cases,)``.

        Args:
            tables: covariates of these cases.
            case_ids: cases to predict.
            extra: the method's own columns of these cases, in this order.

        Raises:
            ValueError: if a case has no row or a column is not there.
        """
        parts = [self.fold.covariates.inputs(tables, case_ids), extra]
        if self.features.names:
            table = tables.features_of(case_ids)
            missing = [name for name in self.features.names if name not in table]
            if missing:
                raise ValueError(f"The model needs features that are not there: {listed(missing)}.")
            parts.insert(0, self.features.apply(table))
        return self.model.risk_score(pd.concat(parts, axis=1))

    def to_dict(self) -> dict[str, Any]:
        """Return the model as plain data."""
        return {
            "method": self.method.name,
            "fold": self.fold.to_dict(),
            "features": self.features.to_dict(),
            "model": self.model.to_dict(),
            "mean_risk": self.mean_risk,
            "risk_deviation": self.risk_deviation,
            "deep": None if self.deep is None else self.deep.to_dict(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "FittedModel":
        """Read a model from plain data.

        Raises:
            ValueError: if a number is not finite, or the method does not exist.
        """
        if values["method"] not in STATISTICAL:
            raise ValueError(f"there is no method '{values['method']}'")
        method = STATISTICAL[values["method"]]
        check_kinds(values, _KINDS)
        return cls(
            method,
            SurvivalFold.from_dict(values["fold"]),
            Scaling.from_dict(values["features"]),
            risk_of(method.statistical_fit).read(values["model"]),
            values["mean_risk"],
            values["risk_deviation"],
            None if values["deep"] is None else DeepNetwork.from_dict(values["deep"]),
        )

    @classmethod
    def load(cls, fold_folder: Path) -> "FittedModel":
        """Read a fold's ``model.json``.

        Raises:
            ValueError: if there is none, or it is damaged.
        """
        file = fold_folder / MODEL_FILE
        check_fitted(file)
        return parse_object(file, cls.from_dict, "Fit it again with adamss_fit_statistical --overwrite.")
