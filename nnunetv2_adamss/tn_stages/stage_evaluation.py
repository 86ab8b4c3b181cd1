"""Out-of-fold predictions of a stage, beside the clinical columns alone and the most frequent stage."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from nnunetv2_adamss.metrics.balanced_accuracy import balanced_accuracy
from nnunetv2_adamss.metrics.estimate import Estimate
from nnunetv2_adamss.survival.cohort.description import ColumnType
from nnunetv2_adamss.tn_stages.stage_classifier import StageClassifier

LESIONS, CLINICAL, FREQUENT = "lesions and clinical columns", "clinical columns alone", "most frequent stage"


@dataclass(frozen=True, eq=False)
class StageCases:
    """Cases of known stage, with the inputs of a classifier.

    Args:
        stages: by ``case_id``.
        lesions: measures of the out-of-fold masks.
        clinical: numbers or text, NaN where missing.
        types: of the clinical columns.
        fold: number of the fold that validates each case.
    """

    stages: pd.Series
    lesions: pd.DataFrame
    clinical: pd.DataFrame
    types: Mapping[str, ColumnType]
    fold: pd.Series

    def fit(self, *, with_lesions: bool = True) -> StageClassifier:
        """Fit a classifier to all cases; ValueError if too few are known of each stage."""
        return StageClassifier.fit(self.stages, self._lesions(with_lesions), self.clinical, self.types)

    def out_of_fold(self, *, with_lesions: bool = True) -> pd.Series:
        """Predict the cases of each fold by a classifier that is fitted on the others.

        Raises:
            ValueError: if the other folds have too few cases of each stage.
        """
        parts = []
        for number in self.fold.unique():
            others, own = self._only(self.fold != number), self._only(self.fold == number)
            classifier = others.fit(with_lesions=with_lesions)
            parts.append(classifier.predict(own._lesions(with_lesions), own.clinical))
        return pd.concat(parts).loc[self.stages.index]

    def most_frequent(self) -> pd.Series:
        """The most frequent stage of the other folds, for the cases of each fold."""
        return self.fold.map({n: self.stages[self.fold != n].mode()[0] for n in self.fold.unique()})

    def _lesions(self, wanted: bool) -> pd.DataFrame:
        return self.lesions if wanted else self.lesions[[]]

    def _only(self, kept: pd.Series) -> "StageCases":
        return StageCases(
            self.stages[kept], self.lesions[kept], self.clinical[kept], self.types, self.fold[kept]
        )


@dataclass(frozen=True, eq=False)
class StageResult:
    """Out-of-fold results for one stage.

    Args:
        balanced_accuracy: by what predicts.
        confusion: cases by true stage (rows) and predicted stage (columns), by lesions and clinical columns.
    """

    balanced_accuracy: Mapping[str, Estimate]
    confusion: pd.DataFrame

    @classmethod
    def of(cls, cases: StageCases) -> "StageResult":
        """Evaluate classifiers of the stage by the folds.

        Raises:
            ValueError: if the training part of a fold has too few cases of each stage.
        """
        predicted = cases.out_of_fold()
        names = sorted({*cases.stages, *predicted})
        confusion = pd.crosstab(cases.stages.to_numpy(), predicted.to_numpy())
        return cls(
            {
                LESIONS: _score(cases, predicted),
                CLINICAL: _clinical_alone(cases),
                FREQUENT: _score(cases, cases.most_frequent()),
            },
            confusion.reindex(index=names, columns=names, fill_value=0),
        )

    def to_dict(self) -> dict[str, Any]:
        """Convert the results to plain data."""
        return {
            "balanced_accuracy": {name: asdict(one) for name, one in self.balanced_accuracy.items()},
            "cases_by_true_and_predicted_stage": self.confusion.to_dict(orient="index"),
        }


def _score(cases: StageCases, predicted: pd.Series) -> Estimate:
    return balanced_accuracy(cases.stages.tolist(), predicted.tolist())


def _clinical_alone(cases: StageCases) -> Estimate:
    try:
        return _score(cases, cases.out_of_fold(with_lesions=False))
    except ValueError as error:  # the cases differ in no clinical column
        return Estimate(None, reason=str(error))
