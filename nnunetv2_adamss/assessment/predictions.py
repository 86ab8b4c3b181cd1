"""Read predictions of any tool: one CSV, or one for each fold of a cross-validation."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from nnunetv2_adamss.evaluation.predicted_curves import PredictedCurves
from nnunetv2_adamss.survival.cohort.cell_values import as_numbers, is_missing
from nnunetv2_adamss.survival.cohort.csv_cells import UnreadableCsvError, read_cells
from nnunetv2_adamss.survival.cohort.description import CASE_ID
from nnunetv2_adamss.survival.cohort.faults import FileFaultsError, with_examples
from nnunetv2_adamss.survival.messages import listed

RISK_SCORE, PREDICTED_TIME, RISK_GROUP, FOLD = "risk_score", "predicted_time", "risk_group", "fold"
SURVIVAL_AT = "survival_at_"

_HIGH = {"low": False, "high": True}
_INFINITE_TEXTS = frozenset({"inf", "-inf"})
_TOLERANCE = 1e-6  # of numbers that were rounded when they were written


class PredictionsError(FileFaultsError):
    """A file of predictions that cannot be used, with all its faults."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predictions that passed every check.

    Args:
        table: index ``case_id``; ``risk_score`` (higher = earlier event; NaN where it is not finite), ``fold`` (number
            of the file, from 0), and where every file has them ``predicted_time`` (higher = later event) and
            ``risk_group`` (True = high).
        curves: predicted survival, one row a row of the table; None if a file has no ``survival_at`` columns.
        files: one a fold.
    """

    table: pd.DataFrame
    curves: PredictedCurves | None
    files: tuple[Path, ...]


def read_predictions(files: Sequence[Path]) -> Predictions:
    """Read and check one file, or the files of the folds of a cross-validation.

    Args:
        files: CSV with ``case_id`` and ``risk_score``, and optionally ``predicted_time``, ``risk_group`` (low or high)
            and ``survival_at_T``, the probability of living beyond T. Other columns are not looked at.

    Raises:
        PredictionsError: with every fault of the first file that has any.
        ValueError: if a case is in two files.
    """
    parts = [_read_file(Path(file)) for file in files]
    tables = [table.assign(**{FOLD: fold}) for fold, (table, _) in enumerate(parts)]
    table = pd.concat(tables, join="inner")
    repeated = table.index[table.index.duplicated()].unique()
    if len(repeated):
        raise ValueError(
            f"Several files predict the same cases: {listed(list(repeated))}. The files of a cross-validation predict "
            "each case once; to compare two models use --compare."
        )
    curves = [curve for _, curve in parts if curve is not None]
    return Predictions(
        table,
        PredictedCurves.stacked(curves) if len(curves) == len(parts) else None,
        tuple(map(Path, files)),
    )


def _read_file(file: Path) -> tuple[pd.DataFrame, PredictedCurves | None]:
    try:
        cells = read_cells(file)
    except UnreadableCsvError as error:
        raise PredictionsError(file, [str(error)]) from error
    faults = _header_faults(cells.columns)
    if not faults:
        cells = _without_empty_groups(cells)
        faults = _cell_faults(cells)
    if faults:
        raise PredictionsError(file, faults)
    cells = cells.set_index(CASE_ID)
    table = pd.DataFrame({RISK_SCORE: as_numbers(cells[RISK_SCORE])})
    if PREDICTED_TIME in cells:
        table[PREDICTED_TIME] = as_numbers(cells[PREDICTED_TIME])
    if RISK_GROUP in cells:
        table[RISK_GROUP] = cells[RISK_GROUP].str.casefold().map(_HIGH).astype(bool)
    times = _curve_times(cells.columns)
    return table, _curves(cells[list(times)].apply(as_numbers), list(times.values())) if times else None


def _without_empty_groups(cells: pd.DataFrame) -> pd.DataFrame:
    """Without the column ``risk_group`` where it is empty throughout, as an uncalibrated model leaves it."""
    is_empty = RISK_GROUP in cells and is_missing(cells[RISK_GROUP]).all()
    return cells.drop(columns=RISK_GROUP) if is_empty else cells


def _curve_times(columns: pd.Index) -> dict[str, float]:
    """Times of the curve by column, ascending; at 0 everybody lives, so that column is left out."""
    names = [str(name) for name in columns if str(name).startswith(SURVIVAL_AT)]
    times = _times(names)
    ordered = sorted(zip(times, names, strict=True))
    return {name: time for time, name in ordered if time != 0}


def _times(names: Sequence[str]) -> list[float]:
    """T of columns ``survival_at_T``; NaN where it is not a number."""
    texts = pd.Series([name.removeprefix(SURVIVAL_AT) for name in names], dtype=object)
    return [float(time) for time in as_numbers(texts)]


def _curves(values: pd.DataFrame, times: list[float]) -> PredictedCurves:
    return PredictedCurves.from_columns(np.array(times), values.to_numpy(np.float64))


def _header_faults(header: pd.Index) -> list[str]:
    repeated = header[header.duplicated()].unique()
    faults = [
        f"the header (row 1) has no column '{name}', only {listed(list(map(str, header)))}"
        for name in (CASE_ID, RISK_SCORE)
        if name not in header
    ]
    if len(repeated):
        faults.append(with_examples("columns are there more than once", [f"'{name}'" for name in repeated]))
    names = [str(name) for name in header if str(name).startswith(SURVIVAL_AT)]
    times = _times(names)
    wrong = [f"'{name}'" for name, time in zip(names, times, strict=True) if not time >= 0]
    if wrong:
        faults.append(with_examples(f"columns '{SURVIVAL_AT}T' need a number from 0 on as T", wrong))
    elif len(set(times)) < len(names):
        faults.append(f"two columns '{SURVIVAL_AT}T' have the same T")
    return faults


def _cell_faults(cells: pd.DataFrame) -> list[str]:
    ids = cells[CASE_ID]
    twice = ids[ids.duplicated(keep=False) & (ids != "")].sort_values(kind="stable")
    faults = [
        *_fault(f"column '{CASE_ID}' is empty", ids[ids == ""]),
        *_fault(f"column '{CASE_ID}' must differ from row to row", twice),
    ]
    for name in (RISK_SCORE, PREDICTED_TIME):
        if name in cells:
            column = cells[name]
            is_number = is_missing(column) | as_numbers(column).notna()
            is_text = ~is_number & ~column.str.casefold().isin(_INFINITE_TEXTS)
            faults += _fault(f"column '{name}' must hold numbers", column[is_text])
    if RISK_GROUP in cells:
        others = cells[RISK_GROUP][~cells[RISK_GROUP].str.casefold().isin(_HIGH)]
        faults += _fault(f"column '{RISK_GROUP}' must hold low or high", others)
    return [*faults, *_curve_faults(cells)]


def _curve_faults(cells: pd.DataFrame) -> list[str]:
    names = list(_curve_times(cells.columns))
    faults = []
    for name in names:
        outside = cells[name][~as_numbers(cells[name]).between(0, 1)]
        faults += _fault(f"column '{name}' must hold probabilities from 0 to 1", outside)
    if not faults and len(names) > 1:
        is_rising = (cells[names].apply(as_numbers).diff(axis=1) > _TOLERANCE).any(axis=1)
        faults += _fault(f"'{SURVIVAL_AT}T' must not rise with T", cells[CASE_ID][is_rising])
    return faults


def _fault(sentence: str, cells: pd.Series) -> list[str]:
    examples = [f"row {row} '{value}'" for row, value in cells.items()]
    return [with_examples(sentence, examples)] if examples else []
