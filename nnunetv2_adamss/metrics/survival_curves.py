"""Predicted survival curves, which are known at some times and straight lines between them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from nnunetv2_adamss.metrics.interpolation import at_straight_lines
from nnunetv2_adamss.metrics.patient_columns import Column, as_array, as_numbers
from nnunetv2_adamss.metrics.resampling import ResampledCohort

_TIME_LABEL = re.compile(r"(survival_at_)?(?P<time>[0-9]+(\.[0-9]*)?(e[+-]?[0-9]+)?)")
# Labels are often rounded to six digits.
_LABEL_TOLERANCE = 1e-5
# A larger number is a time rather than the place of a column.
_MOST_COLUMNS = 100


@dataclass(frozen=True, eq=False)
class PredictedCurves:
    """Curves of patients, straight between the times at which they are known; nothing is known after the last.

    Attributes:
        times: ascending from 0, ``(n_times,)``.
        survival_prob: of living beyond each time, 1 at 0, ``(n_cases, n_times)`` in [0, 1].
    """

    times: NDArray[np.float64]
    survival_prob: NDArray[np.float64]

    @classmethod
    def from_columns(
        cls, times: NDArray[np.floating], survival_prob: NDArray[np.floating]
    ) -> PredictedCurves:
        """Curves from probabilities at times above 0, in any order, ``(n_times,)`` and ``(n_cases, n_times)``."""
        order = np.argsort(times)
        return cls(
            np.append(0.0, times[order]), np.pad(survival_prob[:, order], ((0, 0), (1, 0)), constant_values=1)
        )

    @classmethod
    def in_cohort(
        cls, survival_prob: Column | pd.DataFrame, times: ArrayLike, cohort: ResampledCohort
    ) -> PredictedCurves:
        """Curves from a user's probabilities for the patients of a cohort.

        Args:
            survival_prob: of living beyond each time, ``(n_cases, n_times)``, or ``(n_cases,)`` for one time.
            times: above 0, in any order.
            cohort: the patients, in the same order.

        Raises:
            ValueError: if a column does not fit the cohort or holds no probabilities, or the times do not fit the
                columns or their labels.
        """
        known = _known_times(times)
        columns = _columns(survival_prob)
        if len(columns) != len(known):
            raise ValueError(
                f"'survival_prob' has {len(columns)} columns, but there are {len(known)} times: "
                f"{known.tolist()}. Each time needs one column."
            )
        _check_labels(_labels(survival_prob), known)
        checked = [cohort.column("survival_prob", column) for column in columns]
        return cls.from_columns(known, np.stack(checked, axis=1))

    @classmethod
    def stacked(cls, parts: Sequence[PredictedCurves]) -> PredictedCurves:
        """Curves of the patients of all parts, whose times may differ, up to the earliest end."""
        end = min(part.times[-1] for part in parts)
        times = np.unique(np.concatenate([part.times for part in parts]))
        times = times[times <= end]
        return cls(times, np.concatenate([part.at(times) for part in parts]))

    def of(self, patients: NDArray[np.intp]) -> PredictedCurves:
        """Curves of some of the patients."""
        return PredictedCurves(self.times, self.survival_prob[patients])

    def at(self, times: NDArray[np.floating]) -> NDArray[np.float64]:
        """Probability of living beyond each of these times, ``(n_cases, k)``; times within the curves' range."""
        return at_straight_lines(self.survival_prob, self.times, times)

    def at_own(self, time: NDArray[np.floating]) -> NDArray[np.float64]:
        """Probability of each patient at their own time, ``(n_cases,)``; times within the curves' range."""
        return at_straight_lines(self.survival_prob, self.times, time[:, None])[:, 0]


def _known_times(times: ArrayLike) -> NDArray[np.float64]:
    array = np.atleast_1d(as_array("times", times))
    if array.ndim != 1:
        raise ValueError(f"'times' must hold one time a column, but its shape is {array.shape}.")
    known = as_numbers("times", array)
    if not len(known):
        raise ValueError("There are no times: 'times' is empty.")
    if not (np.isfinite(known) & (known > 0)).all() or len(np.unique(known)) < len(known):
        raise ValueError(f"Times must be above 0, finite and all different, but are {known.tolist()}.")
    return known


def _columns(values: Column | pd.DataFrame) -> list[Column]:
    if isinstance(values, pd.DataFrame):
        return [values.iloc[:, place] for place in range(values.shape[1])]
    if isinstance(values, pd.Series):
        return [values]
    array = as_array("survival_prob", values)
    if array.ndim not in (1, 2):
        raise ValueError(
            "'survival_prob' must hold one value a patient, or one row a patient and one column a time, but its "
            f"shape is {array.shape}."
        )
    return [array] if array.ndim == 1 else list(array.T)


def _labels(values: Column | pd.DataFrame) -> list[Any]:
    """Labels that pandas has for the columns; none for arrays and lists."""
    if isinstance(values, pd.DataFrame):
        return list(values.columns)
    return [values.name] if isinstance(values, pd.Series) else []


def _check_labels(labels: Sequence[Any], times: NDArray[np.float64]) -> None:
    """Raise ValueError if labels are times, but not these: another order looks like any other prediction."""
    stated_times = list(map(_stated_time, labels))
    if _are_numbers_of_columns(labels) and not {*stated_times} & {*times.tolist()}:
        return
    for label, stated, time in zip(labels, stated_times, times.tolist(), strict=False):
        if stated is not None and not math.isclose(stated, time, rel_tol=_LABEL_TOLERANCE):
            raise ValueError(
                f"A column of 'survival_prob' is labelled '{label}', but its time is {time:g}. Bring columns and times "
                "into one order, or give the probabilities as .to_numpy() if the labels are no times."
            )


def _are_numbers_of_columns(labels: Sequence[Any]) -> bool:
    """Return True for small consecutive whole numbers, as pandas counts columns without names, or some of them."""
    if not labels or not all(isinstance(label, Integral) for label in labels):
        return False
    return list(labels) == list(range(labels[0], labels[0] + len(labels))) and labels[-1] < _MOST_COLUMNS


def _stated_time(label: object) -> float | None:
    """The time that a label names, such as 365, '365' or 'survival_at_365'; None if it names none."""
    if isinstance(label, Real) and not isinstance(label, bool):
        return float(label) if float(label) > 0 else None
    found = _TIME_LABEL.fullmatch(label) if isinstance(label, str) else None
    return float(found["time"]) if found else None
