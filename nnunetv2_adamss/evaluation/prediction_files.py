"""Read predictions of any tool: one CSV, or one for each fold of a cross-validation."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from nnunetv2_adamss.common.case_names import CASE_ID
from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.common.tables.cell_faults import (
    case_id_faults,
    cell_faults,
    missing_column_faults,
    number_faults,
    repeated_column_faults,
)
from nnunetv2_adamss.common.tables.cell_values import is_missing
from nnunetv2_adamss.common.tables.csv_cells import read_cells
from nnunetv2_adamss.common.tables.faults import FileFaultsError
from nnunetv2_adamss.common.tables.number_cells import as_numbers, read_numbers
from nnunetv2_adamss.metrics.survival_curves import PredictedCurves
from nnunetv2_adamss.trained_folds.predicted_curves import curve_faults, is_curve, survival_curves

RISK_SCORE, PREDICTED_TIME, RISK_GROUP, FOLD = "risk_score", "predicted_time", "risk_group", "fold"

_HIGH = {"low": False, "high": True}


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predictions that passed every check.

    Args:
        table: index ``case_id``; ``risk_score`` (higher = earlier event; NaN where it is not finite), ``fold`` (number
            of the file, from 0), and where every file has them ``predicted_time`` (higher = later event) and
            ``risk_group`` (True = high).
        curves: predicted survival, one row for each row of the table; None if a file has no ``survival_at`` columns.
        files: one a fold.
    """

    table: pd.DataFrame
    curves: PredictedCurves | None
    files: tuple[Path, ...]


def read_predictions(files: Sequence[Path]) -> Predictions:
    """Read and check one file, or the files of the folds of a cross-validation.

    Args:
        files: CSV with ``case_id`` and ``risk_score``, and optionally ``predicted_time``, ``risk_group`` (low or high)
            and ``survival_at_T``, the probability of living beyond T. Other columns are ignored.

    Raises:
        FileFaultsError: with every fault of the first file that has any.
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
    cells = read_cells(file)
    header = cells.columns
    cells = cells.loc[:, is_curve(header) | header.isin([CASE_ID, RISK_SCORE, PREDICTED_TIME, RISK_GROUP])]
    faults = missing_column_faults(header, [CASE_ID, RISK_SCORE]) or repeated_column_faults(cells.columns)
    if not faults:
        cells = _without_empty_groups(cells)
        faults = _cell_faults(cells)
    if faults:
        raise FileFaultsError(file, faults)
    cells = cells.set_index(CASE_ID)
    table = pd.DataFrame({RISK_SCORE: read_numbers(cells[RISK_SCORE])})
    if PREDICTED_TIME in cells:
        table[PREDICTED_TIME] = read_numbers(cells[PREDICTED_TIME])
    if RISK_GROUP in cells:
        table[RISK_GROUP] = cells[RISK_GROUP].str.casefold().map(_HIGH).astype(bool)
    curves = survival_curves(cells)
    if curves.empty:
        return table, None
    return table, PredictedCurves.from_columns(curves.columns.to_numpy(), curves.to_numpy())


def _without_empty_groups(cells: pd.DataFrame) -> pd.DataFrame:
    """Drop the column ``risk_group`` if it is empty throughout, as an uncalibrated model writes it."""
    is_empty = RISK_GROUP in cells and is_missing(cells[RISK_GROUP]).all()
    return cells.drop(columns=RISK_GROUP) if is_empty else cells


def _cell_faults(cells: pd.DataFrame) -> list[str]:
    faults = case_id_faults(cells[CASE_ID])
    for name in (RISK_SCORE, PREDICTED_TIME):
        if name in cells:
            faults += number_faults(cells[name])
    if RISK_GROUP in cells:
        others = cells[RISK_GROUP][~cells[RISK_GROUP].str.casefold().isin(_HIGH)]
        faults += cell_faults(f"column '{RISK_GROUP}' must hold low or high", others)
        is_without = as_numbers(cells[RISK_SCORE]).isna() & ~is_missing(cells[RISK_GROUP])
        faults += cell_faults(
            f"column '{RISK_GROUP}' needs a finite '{RISK_SCORE}' in the same row",
            cells[RISK_GROUP][is_without],
        )
    return [*faults, *curve_faults(cells)]
