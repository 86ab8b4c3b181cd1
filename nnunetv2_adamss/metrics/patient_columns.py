"""Check the input of all metrics: arrays, lists and pandas columns of the same patients become arrays."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

Column = ArrayLike | pd.Series


def patient_columns(**columns: Column) -> tuple[NDArray[Any], ...]:
    """Columns with one value a patient, as arrays that are paired by position.

    pandas columns may have any index, but all the same one: the same labels in another order would pair the prediction
    of one patient with the outcome of another.

    Args:
        columns: array, list or pandas column by name. ``event`` and ``is_high`` hold bool, or 0 and 1; ``time`` holds
            finite numbers from 0 up, ``fold`` finite numbers, ``survival_prob`` numbers from 0 to 1. Columns of other
            names may hold any number and NaN.

    Returns:
        In the same order: bool for the first two, else float64, ``(n_cases,)`` each.

    Raises:
        ValueError: if a column does not hold such values, or differs from another in its length or its index.
    """
    numbers = {name: _numbers(name, values) for name, values in columns.items()}
    _check_lengths(numbers)
    _check_indexes({name: values.index for name, values in columns.items() if isinstance(values, pd.Series)})
    for name, values in numbers.items():
        _check_values(name, values)
    return tuple(values.astype(bool) if name in _FLAGS else values for name, values in numbers.items())


def _numbers(name: str, values: Column) -> NDArray[np.float64]:
    column = values if isinstance(values, pd.Series) else pd.Series(_one_dimensional(name, values))
    column = column.infer_objects()
    if len(column) and column.dtype.kind not in "biuf":
        raise ValueError(f"'{name}' must hold numbers, but holds {column.iloc[0]!r} ({column.dtype}).")
    numbers: NDArray[np.float64] = column.to_numpy(np.float64, na_value=np.nan)
    return numbers


def _one_dimensional(name: str, values: ArrayLike) -> NDArray[Any]:
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(
            f"'{name}' must hold one value a patient, but its shape is {array.shape}. Give a single column."
        )
    return array


def _check_lengths(columns: Mapping[str, NDArray[Any]]) -> None:
    (first, values), *others = columns.items()
    for name, other in others:
        if len(other) != len(values):
            raise ValueError(
                f"'{first}' has {len(values)} values, but '{name}' has {len(other)}. Each patient needs both."
            )


def _check_indexes(indexes: Mapping[str, pd.Index]) -> None:
    for (first, index), (name, other) in pairwise(indexes.items()):
        if not index.equals(other):
            place = int(np.argmax(index.to_numpy() != other.to_numpy()))
            raise ValueError(
                f"The pandas columns '{first}' and '{name}' have different indexes: at position {place} there is "
                f"{index[place]!r} in '{first}' and {other[place]!r} in '{name}'. Bring them into one order with .loc, "
                "or give both as .to_numpy() if their rows are the same patients."
            )


def _check_values(name: str, values: NDArray[np.float64]) -> None:
    if name not in _ALLOWED:
        return
    is_allowed, words = _ALLOWED[name]
    faulty = np.flatnonzero(~is_allowed(values))
    if len(faulty):
        raise ValueError(
            f"'{name}' must hold {words}, but is {values[faulty[0]]:g} at position {faulty[0]} ({len(faulty)} of "
            f"{len(values)} values are wrong)."
        )


_FLAGS = ("event", "is_high")
_IS_FLAG = (lambda values: (values == 0) | (values == 1), "False and True, or 0 and 1")
# By the name of a column: the test of allowed values, and the words for them.
_ALLOWED: Mapping[str, tuple[Callable[[NDArray[np.float64]], NDArray[np.bool_]], str]] = {
    **dict.fromkeys(_FLAGS, _IS_FLAG),
    "fold": (np.isfinite, "finite numbers"),
    "survival_prob": (lambda values: (values >= 0) & (values <= 1), "probabilities from 0 to 1"),
    "time": (lambda values: np.isfinite(values) & (values >= 0), "finite numbers of at least 0"),
}
