"""Read the survival curves that a file of predictions holds."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnunetv2_adamss.survival.cohort.cell_values import as_numbers
from nnunetv2_adamss.survival.cohort.csv_cells import UnreadableCsvError, read_cells
from nnunetv2_adamss.survival.cohort.description import CASE_ID
from nnunetv2_adamss.survival.cohort.faults import FileFaultsError, with_examples
from nnunetv2_adamss.survival.covariates.number_table import number_table
from nnunetv2_adamss.survival.prediction import SURVIVAL_AT

# Of six digits, as the names of columns have.
_SAME_TIME = 1e-5
# The mean of several folds may rise by this much where it is flat.
_ROUNDING = 1e-9


class PredictedCurves(NamedTuple):
    """Survival curves of some cases.

    Attributes:
        case_ids: ``n_cases``.
        times: above 0, ascending; with the six digits of the column names, ``(n_times,)``.
        survival_curve: S(t), ``(n_cases, n_times)`` in [0, 1], falling.
    """

    case_ids: list[str]
    times: NDArray[np.float64]
    survival_curve: NDArray[np.float64]


def read_predicted_curves(csv_file: Path) -> PredictedCurves:
    """Read the columns ``case_id`` and ``survival_at_T``, in whatever order; others do not matter.

    Raises:
        FileFaultsError: with what is wrong with these columns.
    """
    try:
        cells = read_cells(csv_file)
    except UnreadableCsvError as error:
        raise FileFaultsError(csv_file, [str(error)]) from error
    is_curve = cells.columns.str.startswith(SURVIVAL_AT)
    if not is_curve.any():
        raise FileFaultsError(csv_file, [f"there is no column '{SURVIVAL_AT}T', survival beyond time T"])
    table = number_table(cells.loc[:, is_curve | (cells.columns == CASE_ID)], csv_file)
    times = _times(table, csv_file)
    table = table[times.index]
    _check_curves(table, csv_file)
    return PredictedCurves(list(table.index), times.to_numpy(), table.to_numpy())


def same_times(first: Sequence[float] | NDArray[np.floating], second: NDArray[np.floating]) -> bool:
    """Whether times are the same but for the digits that the names of columns drop."""
    return len(first) == len(second) and np.allclose(first, second, rtol=_SAME_TIME, atol=0)


def _times(table: pd.DataFrame, csv_file: Path) -> pd.Series:
    """The times by column, ascending."""
    times = as_numbers(table.columns.to_series().str.removeprefix(SURVIVAL_AT))
    wrong = times.index[~(times > 0) | times.duplicated()]
    if len(wrong):
        raise FileFaultsError(
            csv_file,
            [with_examples(f"'{SURVIVAL_AT}' must be followed by a time above 0, each once", list(wrong))],
        )
    return times.sort_values()


def _check_curves(table: pd.DataFrame, csv_file: Path) -> None:
    is_probability = (table.ge(0) & table.le(1)).all(axis=1)
    rises = (table.diff(axis=1) > _ROUNDING).any(axis=1)
    faults = [
        with_examples(sentence, list(table.index[is_wrong]))
        for sentence, is_wrong in (
            ("survival must be between 0 and 1 at every time", ~is_probability),
            ("survival must not rise with time", is_probability & rises),
        )
        if is_wrong.any()
    ]
    if faults:
        raise FileFaultsError(csv_file, faults)
