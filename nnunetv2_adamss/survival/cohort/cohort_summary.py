"""Summary of a cohort, independent of any model: size, events, follow-up, missing values."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnunetv2_adamss.metrics.kaplan_meier import kaplan_meier
from nnunetv2_adamss.survival.cohort.survival_table import SurvivalTable


@dataclass(frozen=True)
class ColumnSummary:
    """A clinical column as it was read.

    Args:
        name: of the column.
        kind: ``"number"``, ``"ordinal"`` or ``"category"``.
        is_described: whether ``survival.json`` gives the kind; else it follows from the cells.
        n_missing: patients without a value.
        lowest: of numbers; ``None`` where there are none.
        highest: of numbers; ``None`` where there are none.
        categories: patients of each category, the most frequent first; empty for numbers.
    """

    name: str
    kind: str
    is_described: bool
    n_missing: int
    lowest: float | None
    highest: float | None
    categories: dict[str, int]


@dataclass(frozen=True)
class CohortSummary:
    """Counts and follow-up of a cohort.

    Args:
        n_patients: rows of the table.
        n_events: of the cases with an outcome.
        n_without_outcome: cases that can be used for Stage I only.
        censored_fraction: of the cases with an outcome, in [0, 1).
        median_follow_up: by reverse Kaplan-Meier, in ``time_unit``; ``None`` if too few were censored for
            the curve to reach one half.
        time_unit: from ``survival.json``.
        endpoint: the event in words, if the study describes it.
        missing: cases without a value, for each clinical column.
        group_column: the column of the groups, if the study names one.
        group_sizes: cases of each group.
        missing_by_group: the same as ``missing``, for each group.
        columns: each clinical column as it was read, so that the user can see if one was misread.
    """

    n_patients: int
    n_events: int
    n_without_outcome: int
    censored_fraction: float
    median_follow_up: float | None
    time_unit: str
    endpoint: str | None
    missing: dict[str, int]
    group_column: str | None
    group_sizes: dict[str, int]
    missing_by_group: dict[str, dict[str, int]]
    columns: tuple[ColumnSummary, ...] = ()


def summarise_cohort(table: SurvivalTable) -> CohortSummary:
    """Summarise the cohort of a survival table."""
    time, event = table.time_and_event(list(table.outcomes.index))
    group_sizes, missing_by_group = _by_group(table)
    return CohortSummary(
        n_patients=len(table.case_ids),
        n_events=int(event.sum()),
        n_without_outcome=len(table.without_outcome),
        censored_fraction=float(1 - event.mean()),
        median_follow_up=median_follow_up(time, event),
        time_unit=table.description.time_unit,
        endpoint=table.description.endpoint,
        missing=_counts(table.clinical.isna().sum()),
        group_column=table.description.group_column,
        group_sizes=group_sizes,
        missing_by_group=missing_by_group,
        columns=summarise_columns(table),
    )


def summarise_columns(table: SurvivalTable) -> tuple[ColumnSummary, ...]:
    """Type, range or categories, and missing values of each clinical column, in the table's order."""
    return tuple(
        _summarise_column(table.clinical[name], kind.kind, name in table.description.columns)
        for name, kind in table.column_types.items()
    )


def median_follow_up(time: NDArray[np.float64], event: NDArray[np.bool_]) -> float | None:
    """Median time under observation by reverse Kaplan-Meier: censoring is the event, and events censor it.

    Schemper and Smith, Controlled Clinical Trials 1996. Ties are handled as lifelines does.

    Args:
        time: ``(n_patients,)``, > 0.
        event: ``(n_patients,)``, True = observed.

    Returns:
        The median in the unit of ``time``, or ``None`` if the curve stays above one half.
    """
    return kaplan_meier(~event, time).median


def _summarise_column(values: pd.Series, kind: str, is_described: bool) -> ColumnSummary:
    lowest, highest = None, None
    categories: dict[str, int] = {}
    if not pd.api.types.is_float_dtype(values):
        counts = _counts(values.value_counts())
        categories = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    elif values.notna().any():
        lowest, highest = float(values.min()), float(values.max())
    n_missing = int(values.isna().sum())
    return ColumnSummary(str(values.name), kind, is_described, n_missing, lowest, highest, categories)


def _by_group(table: SurvivalTable) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    column = table.description.group_column
    if column is None:
        return {}, {}
    groups = table.groups(column)
    missing = table.clinical.isna().groupby(groups).sum()
    by_group = {str(group): _counts(counts) for group, counts in missing.iterrows()}
    return _counts(groups.value_counts().sort_index()), by_group


def _counts(series: pd.Series) -> dict[str, int]:
    return {str(name): int(count) for name, count in series.items()}
