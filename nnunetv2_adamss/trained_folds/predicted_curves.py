"""The survival curves that a file of predictions holds, in columns ``survival_at_T``."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnunetv2_adamss.common.case_names import CASE_ID
from nnunetv2_adamss.common.messages import quoted
from nnunetv2_adamss.common.tables.cell_faults import (
    case_id_faults,
    cell_faults,
    missing_column_faults,
    repeated_column_faults,
)
from nnunetv2_adamss.common.tables.csv_cells import read_cells
from nnunetv2_adamss.common.tables.faults import FileFaultsError, with_examples
from nnunetv2_adamss.common.tables.number_cells import as_numbers, read_numbers
from nnunetv2_adamss.survival.discrete_time.curve import curves_at, predicted_time_at
from nnunetv2_adamss.trained_folds.prediction import SURVIVAL_AT

FOLD = "fold"
# Relative difference of times with six digits, as in the names of columns.
_SAME_TIME = 1e-5
# Curves that were rounded when they were written may rise by this much where they are flat.
_ROUNDING = 1e-6


class CurvesByCase(NamedTuple):
    """Survival curves of some cases.

    Attributes:
        case_ids: ``n_cases``.
        times: above 0, ascending; with the six digits of the column names, ``(n_times,)``.
        survival_curve: S(t), ``(n_cases, n_times)`` in [0, 1], falling.
    """

    case_ids: list[str]
    times: NDArray[np.float64]
    survival_curve: NDArray[np.float64]

    @property
    def predicted_time(self) -> NDArray[np.float64]:
        """Predicted time by Eq. (2), ``(n_cases,)``, higher for longer survival."""
        return predicted_time_at(self.survival_curve, self.times)

    def at(self, times: NDArray[np.float64]) -> "CurvesByCase":
        """The same curves at other times, none of them beyond the last; between times the hazard is constant."""
        edges = np.append(0.0, self.times)
        return self._replace(times=times, survival_curve=curves_at(self.survival_curve, edges, times))


def read_predicted_curves(csv_file: Path) -> CurvesByCase:
    """Read the columns ``case_id`` and ``survival_at_T``, in any order; other columns are ignored.

    Raises:
        FileFaultsError: with all faults of these columns.
    """
    return _curves_by_case(csv_file, read_cells(csv_file))


def read_fold_curves(csv_file: Path) -> list[CurvesByCase]:
    """Read the columns ``case_id``, ``fold`` and ``survival_at_T``: the curves of each fold, in the file's order.

    Raises:
        FileFaultsError: with all faults of these columns.
    """
    cells = read_cells(csv_file)
    if faults := missing_column_faults(cells.columns, [FOLD]):
        raise FileFaultsError(csv_file, faults)
    return [_curves_by_case(csv_file, rows) for _, rows in cells.groupby(FOLD, sort=False)]


def _curves_by_case(csv_file: Path, cells: pd.DataFrame) -> CurvesByCase:
    used = cells.loc[:, is_curve(cells.columns) | (cells.columns == CASE_ID)]
    faults = missing_column_faults(cells.columns, [CASE_ID]) or repeated_column_faults(used.columns)
    faults = faults or [*case_id_faults(used[CASE_ID]), *curve_faults(used)]
    if faults:
        raise FileFaultsError(csv_file, faults)
    curves = survival_curves(used)
    if curves.empty:
        raise FileFaultsError(csv_file, [f"there is no column '{SURVIVAL_AT}T', survival beyond time T"])
    return CurvesByCase(list(used[CASE_ID]), curves.columns.to_numpy(), curves.to_numpy())


def is_curve(header: pd.Index) -> NDArray[np.bool_]:
    """Find the columns that are called ``survival_at_T``; boolean."""
    return np.asarray(header.str.startswith(SURVIVAL_AT), dtype=np.bool_)


def curve_faults(cells: pd.DataFrame) -> list[str]:
    """Faults of the columns ``survival_at_T``, if there are any.

    Args:
        cells: as text, no column twice; the index is the row number.
    """
    times = _times(cells)
    wrong = times.index[~(times >= 0) | times.duplicated()]
    if len(wrong):
        names = [quoted(name) for name in wrong]
        return [with_examples(f"columns '{SURVIVAL_AT}T' need a number from 0 on as T, each once", names)]
    curves = _by_time(cells).apply(as_numbers)
    faults = [
        fault
        for name, time in times[times > 0].items()
        for fault in cell_faults(
            f"column '{name}' must hold probabilities from 0 to 1", cells[name][~curves[time].between(0, 1)]
        )
    ]
    rises = (curves.diff(axis=1) > _ROUNDING).any(axis=1)
    return faults or cell_faults(f"'{SURVIVAL_AT}T' must not rise with T", cells[CASE_ID][rises])


def survival_curves(cells: pd.DataFrame) -> pd.DataFrame:
    """S(t) in a column for each time above 0, ascending; a column for 0 is left out, since all patients live then.

    Args:
        cells: in which :func:`curve_faults` finds nothing.
    """
    return _by_time(cells).apply(read_numbers)


def same_times(first: Sequence[float] | NDArray[np.floating], second: NDArray[np.floating]) -> bool:
    """Return True if times are equal up to the digits that the names of columns drop."""
    return len(first) == len(second) and np.allclose(first, second, rtol=_SAME_TIME, atol=0)


def _by_time(cells: pd.DataFrame) -> pd.DataFrame:
    """The text of S(t), a column for each time above 0, ascending."""
    times = _times(cells)
    times = times[times > 0]
    return cells[times.index].set_axis(times.to_numpy(), axis=1)


def _times(cells: pd.DataFrame) -> pd.Series:
    """T by column, ascending; NaN where it is not a number."""
    names = cells.columns[is_curve(cells.columns)].to_series()
    return as_numbers(names.str.removeprefix(SURVIVAL_AT)).sort_values(kind="stable")
