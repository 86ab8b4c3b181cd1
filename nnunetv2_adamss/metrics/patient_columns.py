"""Check the input of all metrics: arrays, lists and pandas columns of the same patients become arrays."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from nnunetv2_adamss.common.messages import shortened

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
    numbers = {name: as_numbers(name, values) for name, values in columns.items()}
    _check_lengths(numbers)
    _check_indexes({name: values.index for name, values in columns.items() if isinstance(values, pd.Series)})
    for name, values in numbers.items():
        _check_values(name, values)
    return tuple(values.astype(bool) if name in _FLAGS else values for name, values in numbers.items())


def check_there_are_patients(time: NDArray[np.floating]) -> None:
    """Raise ValueError if there is no patient, of whom nothing can be measured."""
    if not len(time):
        raise ValueError("There are no patients: 'event' and 'time' are empty.")


def as_numbers(name: str, values: Column) -> NDArray[np.float64]:
    """One column as numbers, NaN where a value is missing.

    Args:
        name: for messages.
        values: array, list or pandas column of one dimension.

    Raises:
        ValueError: if it has another shape, or holds anything but numbers.
    """
    column = values if isinstance(values, pd.Series) else pd.Series(_one_dimensional(name, values))
    column = column.infer_objects()
    if column.dtype.kind not in "biuf":
        column = column.astype(object)
        odd = next((cell for cell in column if not _is_number_or_missing(cell)), None)
        if odd is not None:
            raise ValueError(
                f"'{name}' must hold numbers, but holds {shortened(repr(odd))} ({type(odd).__name__})."
            )
    numbers: NDArray[np.float64] = column.to_numpy(np.float64, na_value=np.nan)
    return numbers


def _is_number_or_missing(cell: object) -> bool:
    return cell is None or cell is pd.NA or isinstance(cell, Real | np.bool_)


def as_array(name: str, values: ArrayLike) -> NDArray[Any]:
    """Values as an array of any shape.

    Args:
        name: for messages.
        values: array, or lists of equal lengths.

    Raises:
        ValueError: if values are masked, which an array would not show, or lists differ in their length.
    """
    parts = [values, *values] if isinstance(values, list | tuple) else [values]
    if any(isinstance(part, np.ma.MaskedArray) and np.ma.is_masked(part) for part in parts):
        raise ValueError(f"'{name}' has masked values. Leave out these patients, or fill the values in.")
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"'{name}' must be a column or a table, but its rows differ in length.") from error
    # Beside text, numpy would make numbers text as well.
    return np.asarray(values, dtype=object) if array.dtype.kind in "US" else array


def _one_dimensional(name: str, values: ArrayLike) -> NDArray[Any]:
    array = as_array(name, values)
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
        are_different = _are_different(index, other)
        if are_different.any():
            place = int(np.argmax(are_different))
            label, other_label = index.tolist()[place], other.tolist()[place]
            raise ValueError(
                f"The pandas columns '{first}' and '{name}' have different indexes: at position {place} there is "
                f"{label!r} in '{first}' and {other_label!r} in '{name}'. Bring them into one order with .loc, or give "
                "both as .to_numpy() if their rows are the same patients."
            )


def _are_different(index: pd.Index, other: pd.Index) -> NDArray[np.bool_]:
    """Where labels of two indexes of one length differ, whatever their types; missing labels are all the same."""
    if index.nlevels != other.nlevels:
        return np.ones(len(index), dtype=bool)
    levels = range(index.nlevels)
    return np.any([_labels(index, level) != _labels(other, level) for level in levels], axis=0)


def _labels(index: pd.Index, level: int) -> NDArray[np.object_]:
    """Labels with None for those that are missing, since NaN differs from itself and NA cannot be compared."""
    values = index.get_level_values(level).astype(object)
    labels: NDArray[np.object_] = values.to_numpy(copy=True)
    labels[values.isna()] = None
    return labels


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
