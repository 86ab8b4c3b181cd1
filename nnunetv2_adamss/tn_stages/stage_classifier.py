"""Multinomial logistic regression with a ridge penalty, from lesions and clinical columns to a stage."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from nnunetv2_adamss.common.kinds import Kind, by_name, check_kinds, is_number, list_of
from nnunetv2_adamss.survival.cohort.description import ColumnType
from nnunetv2_adamss.survival.covariates.clinical_encoding import fit_indicators
from nnunetv2_adamss.survival.covariates.indicator import Indicator
from nnunetv2_adamss.survival.covariates.scaling import Scaling

# A stage with fewer training cases is not learned: there is not one for each part of the inner cross-validation.
MIN_CASES = 5
# Inverse strengths of the penalty; the strongest of equals is taken.
_STRENGTHS = (0.001, 0.01, 0.1, 1.0, 10.0)
_KINDS: dict[str, Kind] = {
    "indicators": list_of(dict),
    "scaling": dict,
    "coefficients": by_name(by_name(is_number)),
    "intercepts": by_name(is_number),
}


@dataclass(frozen=True, eq=False)
class StageClassifier:
    """A fitted classifier of a stage; plain data.

    Args:
        classes: stages that it can predict, in order.
        indicators: encodings of the clinical columns.
        scaling: of all inputs: measures of lesions and encoded clinical columns.
        coefficients: of the scaled inputs, ``(n_classes, n_inputs)``.
        intercepts: ``(n_classes,)``.
    """

    classes: tuple[str, ...]
    indicators: tuple[Indicator, ...]
    scaling: Scaling
    coefficients: NDArray[np.float64]
    intercepts: NDArray[np.float64]

    @classmethod
    def fit(
        cls,
        stages: pd.Series,
        lesions: pd.DataFrame,
        clinical: pd.DataFrame,
        types: Mapping[str, ColumnType],
    ) -> "StageClassifier":
        """Fit to cases; each class weighs the same, and the penalty is chosen by an inner cross-validation.

        Args:
            stages: of the training cases, by ``case_id``.
            lesions: numbers by ``case_id``; may have no column.
            clinical: numbers or text by ``case_id``, NaN where missing; may have no column.
            types: of the clinical columns.

        Raises:
            ValueError: if fewer than two stages have enough cases, or the cases differ in no input.
        """
        counts = stages.value_counts()
        classes = sorted(counts.index[counts >= MIN_CASES])
        if len(classes) < 2:
            found = ", ".join(f"{stage}: {n}" for stage, n in counts.sort_index().items()) or "none"
            raise ValueError(
                f"at least two stages need {MIN_CASES} training cases each, so that they can be told apart; found "
                f"{found}"
            )
        known = stages[stages.isin(classes)]
        indicators = tuple(fit_indicators(clinical.loc[known.index], types)[0])
        inputs = _inputs(lesions.loc[known.index], clinical.loc[known.index], indicators)
        scaling = Scaling.fit(inputs)
        if not scaling.names:
            raise ValueError("the training cases differ in no column")
        fitted = _fit_ridge(scaling.apply(inputs), known)
        return cls(tuple(classes), indicators, scaling, *_for_each_class(fitted))

    def probabilities(self, lesions: pd.DataFrame, clinical: pd.DataFrame) -> pd.DataFrame:
        """Probability of each class, one row a case.

        Args:
            lesions: numbers by ``case_id``, with the columns of the training.
            clinical: values by ``case_id``, with the columns of the training, NaN where missing.
        """
        scaled = self.scaling.apply(_inputs(lesions, clinical, self.indicators)).to_numpy(np.float64)
        logits = scaled @ self.coefficients.T + self.intercepts
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares = weights / weights.sum(axis=1, keepdims=True)
        return pd.DataFrame(shares, index=lesions.index, columns=list(self.classes))

    def predict(self, lesions: pd.DataFrame, clinical: pd.DataFrame) -> pd.Series:
        """The most probable class of each case; arguments as for :meth:`probabilities`."""
        return self.probabilities(lesions, clinical).idxmax(axis=1)

    def to_dict(self) -> dict[str, Any]:
        """Convert the classifier to plain data."""
        coefficients = pd.DataFrame(self.coefficients, list(self.classes), list(self.scaling.names))
        return {
            "intercepts": dict(zip(self.classes, self.intercepts.tolist(), strict=True)),
            "coefficients": coefficients.to_dict(orient="index"),
            "indicators": [one.to_dict() for one in self.indicators],
            "scaling": self.scaling.to_dict(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "StageClassifier":
        """Classifier from plain data, as ``to_dict`` gives it.

        Raises:
            ValueError: if a value is of another kind.
            KeyError: if a class or an input has no coefficient.
        """
        check_kinds(values, _KINDS, " of a stage")
        classes, scaling = tuple(values["intercepts"]), Scaling.from_dict(values["scaling"])
        return cls(
            classes,
            tuple(Indicator.from_dict(one) for one in values["indicators"]),
            scaling,
            np.array([[values["coefficients"][one][name] for name in scaling.names] for one in classes]),
            np.array(list(values["intercepts"].values()), dtype=np.float64),
        )


def _inputs(lesions: pd.DataFrame, clinical: pd.DataFrame, indicators: tuple[Indicator, ...]) -> pd.DataFrame:
    return pd.concat([lesions, *(one.encode(clinical[one.name]) for one in indicators)], axis=1)


def _fit_ridge(scaled: pd.DataFrame, stages: pd.Series) -> LogisticRegression:
    search = GridSearchCV(
        LogisticRegression(class_weight="balanced", max_iter=1000),
        {"C": _STRENGTHS},
        scoring="balanced_accuracy",
        cv=StratifiedKFold(MIN_CASES, shuffle=True, random_state=0),
    )
    fitted: LogisticRegression = search.fit(scaled.to_numpy(np.float64), stages.to_numpy()).best_estimator_
    return fitted


def _for_each_class(fitted: LogisticRegression) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coefficients and intercepts of each class; scikit-learn leaves out the first of two, which has zeros."""
    if len(fitted.classes_) > 2:
        return fitted.coef_, fitted.intercept_
    return np.vstack([np.zeros_like(fitted.coef_), fitted.coef_]), np.append(0.0, fitted.intercept_)
