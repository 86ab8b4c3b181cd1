"""Several methods as one row of the tables: the mean of their ranks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nnunetv2_adamss.benchmark.compared_patients import ComparedPatients
from nnunetv2_adamss.benchmark.method_results import MethodResult
from nnunetv2_adamss.display.words import joined
from nnunetv2_adamss.methods.method import Method
from nnunetv2_adamss.methods.table import METHODS, SEGMENTATION
from nnunetv2_adamss.metrics.rank_fusion import mean_of_ranks

_NAME = "rank_fusion"
_HOW = (
    "{title}: the mean of a patient's ranks by these methods among the patients of the same fold, or of the test set; "
    "equal risks share a rank."
)


@dataclass(frozen=True)
class RankFusion:
    """A row for several methods together.

    Args:
        methods: that are fused, at least two, with a table in common.
    """

    methods: tuple[Method, ...]

    @classmethod
    def of(cls, names: Sequence[str]) -> "RankFusion":
        """Fuse the methods of these names.

        Raises:
            ValueError: if a name is none of a method, or they are fewer than two, predict no survival, or have no table
                in common.
        """
        methods = tuple(method for method in METHODS if method.name in names)
        others = sorted(set(names) - {method.name for method in methods})
        if others or len(methods) < 2:
            raise ValueError(f"--rank_fusion needs two methods at least, not {joined(others or names)}.")
        if only_masks := [method.name for method in methods if not (method.trainer or method.fit)]:
            raise ValueError(f"--rank_fusion: {joined(only_masks)} predicts no survival.")
        fusion = cls(methods)
        if not fusion.row.tables:
            raise ValueError(f"--rank_fusion: {joined(names)} have no table in common.")
        return fusion

    @property
    def row(self) -> Method:
        """The row as a method, in the tables that all methods are in."""
        tables = set.intersection(*(set(method.tables) for method in self.methods))
        title = f"Rank fusion of {joined([method.title for method in self.methods])}"
        return Method(name=_NAME, title=title, tables=tuple(sorted(tables)), stage_one=SEGMENTATION)

    def result(self, results: Sequence[MethodResult], patients: ComparedPatients) -> MethodResult:
        """Fuse the risks of each fold's patients.

        Args:
            results: of these methods, and others.
            patients: on whom all are evaluated.
        """
        parts = [result for result in results if result.method in self.methods]
        risks = [result.risk_score for result in parts if result.risk_score is not None]
        is_planned = all(result.is_planned for result in parts)
        if len(risks) < len(parts):
            missing = [result.method.title for result in parts if result.risk_score is None]
            return MethodResult(self.row, None, f"there is no risk by {joined(missing)}", is_planned)
        notes = [_HOW.format(title=self.row.title)]
        return MethodResult(self.row, _fused(risks, patients.fold), "", is_planned, notes=notes)


def _fused(risks: Sequence[pd.Series], fold: pd.Series) -> pd.Series:
    """Mean of the ranks within each fold, of the patients that all methods predict."""
    table = pd.concat(risks, axis=1, join="inner")
    table = table.loc[table.index.intersection(fold.index)]
    fused = pd.Series(np.nan, table.index)
    for _, part in table.groupby(fold[table.index]):
        by_method = part.to_numpy(np.float64).T
        fused[part.index] = mean_of_ranks(by_method, by_method)
    return fused
