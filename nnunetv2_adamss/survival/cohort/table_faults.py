"""Faults of a survival table whose cells can be read."""

from collections.abc import Collection

import pandas as pd

from nnunetv2_adamss.common.case_names import CASE_ID
from nnunetv2_adamss.common.messages import quoted
from nnunetv2_adamss.common.tables.cell_faults import (
    case_id_faults,
    cell_faults,
    missing_column_faults,
    number_faults,
    repeated_column_faults,
)
from nnunetv2_adamss.common.tables.cell_values import category_text, is_missing, is_missing_number
from nnunetv2_adamss.common.tables.faults import faults_of, with_examples
from nnunetv2_adamss.common.tables.number_cells import as_numbers
from nnunetv2_adamss.survival.cohort.column_kind import mixed_faults
from nnunetv2_adamss.survival.cohort.description import (
    EVENT,
    NUMBER,
    REQUIRED_COLUMNS,
    TIME,
    ColumnType,
    SurvivalDescription,
)

EVENT_TEXTS = {"0": False, "0.0": False, "1": True, "1.0": True}


def table_faults(
    cells: pd.DataFrame,
    description: SurvivalDescription,
    known_cases: Collection[str] | None,
    *,
    needs_events: bool = True,
) -> list[str]:
    """Find the faults of a survival table.

    Args:
        cells: all text; index: the row numbers that the user sees.
        description: of the table.
        known_cases: the cases that have an image; ``None`` to skip this comparison.
        needs_events: whether a table without an event is a fault.

    Returns:
        One sentence, without its full stop, for each kind of fault in each column; empty if there are none.
    """
    # Columns of a repeated name are ambiguous, so their cells are not checked.
    unique = cells.loc[:, ~cells.columns.duplicated(keep=False)]
    return [
        *missing_column_faults(cells.columns, REQUIRED_COLUMNS),
        *repeated_column_faults(cells.columns[cells.columns != ""]),
        *_nameless_faults(cells.columns),
        *_case_faults(unique, known_cases),
        *_outcome_faults(unique),
        *(_no_event_faults(unique) if needs_events else []),
        *_column_faults(unique, cells.columns, description),
        *_group_faults(unique, cells.columns, description),
    ]


def empty_group_fault(column: str, rows: Collection[str]) -> str:
    """Fault of a group column that is empty in some rows."""
    return with_examples(f"group column '{column}' is empty", list(rows))


def _nameless_faults(header: pd.Index) -> list[str]:
    nameless = [f"column {place}" for place, name in enumerate(header, start=1) if not name]
    return faults_of("the header (row 1) has cells without a name", nameless)


def _case_faults(cells: pd.DataFrame, known_cases: Collection[str] | None) -> list[str]:
    if CASE_ID not in cells:
        return []
    ids = cells[CASE_ID]
    faults = case_id_faults(ids)
    if known_cases is not None:
        known, given = set(known_cases), ids[ids != ""]
        faults += cell_faults("column 'case_id' has cases without an image", given[~given.isin(known)])
        faults += faults_of("cases with an image have no row", sorted(known - set(given)))
    return faults


def _outcome_faults(cells: pd.DataFrame) -> list[str]:
    faults = [*_time_faults(cells), *_event_faults(cells)]
    if TIME in cells and EVENT in cells:
        time, event = cells[TIME], cells[EVENT]
        half = is_missing_number(time) != is_missing_number(event)
        faults += faults_of(
            "columns 'time' and 'event' must both be given or both be empty",
            [f"row {row} time {quoted(time[row])} event {quoted(event[row])}" for row in cells.index[half]],
        )
    return faults


def _time_faults(cells: pd.DataFrame) -> list[str]:
    if TIME not in cells:
        return []
    time = cells[TIME][~is_missing_number(cells[TIME])]
    # NaN, which stands for text and for what may be thousands, is not above 0.
    return cell_faults("column 'time' must be a finite number above 0", time[~(as_numbers(time) > 0)])


def _event_faults(cells: pd.DataFrame) -> list[str]:
    if EVENT not in cells:
        return []
    event = cells[EVENT][~is_missing_number(cells[EVENT])]
    return cell_faults("column 'event' must be 0 (censored) or 1 (observed)", event[~event.isin(EVENT_TEXTS)])


def _no_event_faults(cells: pd.DataFrame) -> list[str]:
    if EVENT not in cells:
        return []
    event = cells[EVENT][~is_missing_number(cells[EVENT])]
    if event.empty:
        return ["column 'event' is empty in every row: no case has an outcome"]
    if event.isin(EVENT_TEXTS).all() and not event.map(EVENT_TEXTS).any():
        return [
            f"column 'event' is 0 in all {len(event)} rows with an outcome: there is nothing to learn from"
        ]
    return []


def _column_faults(cells: pd.DataFrame, header: pd.Index, description: SurvivalDescription) -> list[str]:
    absent = [f"'{name}'" for name in description.columns if name not in header]
    faults = faults_of("survival.json describes columns that are not in the table", absent)
    for name, column_type in description.columns.items():
        if name in cells:
            faults += _value_faults(cells[name], column_type, description.missing_codes(name))
    fixed = {*REQUIRED_COLUMNS, *description.columns, description.group_column, ""}
    for name in cells.columns[~cells.columns.isin(fixed)]:
        faults += mixed_faults(cells[name], description.missing_codes(name))
    return faults


def _value_faults(cells: pd.Series, column_type: ColumnType, missing_codes: Collection[str]) -> list[str]:
    if column_type.is_numeric:
        if column_type.kind == NUMBER:
            sentence = f"column '{cells.name}' is described as a number"
        else:
            sentence = (
                f"column '{cells.name}' is described as ordinal without categories and has values that are no "
                "numbers; list its categories in order in survival.json"
            )
        return number_faults(cells, missing_codes, sentence=sentence, infinite_is_missing=False)
    if not column_type.categories:
        return []
    given = cells[~is_missing(cells, missing_codes)]
    outside = given[~given.map(category_text).isin(column_type.categories)]
    allowed = ", ".join(f"'{category}'" for category in column_type.categories)
    return cell_faults(f"column '{cells.name}' may only be {allowed}", outside)


def _group_faults(cells: pd.DataFrame, header: pd.Index, description: SurvivalDescription) -> list[str]:
    group_column = description.group_column
    if group_column is None:
        return []
    if group_column not in header:
        return [f"the group column '{group_column}' of survival.json is not in the table"]
    if group_column not in cells:
        return []
    empty = cells.index[is_missing(cells[group_column], description.missing_codes(group_column))]
    return [empty_group_fault(group_column, [f"row {row}" for row in empty])] if len(empty) else []
