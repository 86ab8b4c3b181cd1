"""Cross-validation splits that use outcomes: events spread evenly, and no group on both sides.

Cases without an outcome are used for Stage I. They are in the training part of every fold and in no validation
part. Where groups are kept apart, a fold that validates on their group leaves them out.
"""

import logging
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from nnunetv2_adamss.survival.cohort.splits_file import Split
from nnunetv2_adamss.survival.cohort.survival_table import SurvivalTable

logger = logging.getLogger(__name__)

DEFAULT_FOLDS, DEFAULT_SEED = 5, 12345  # nnU-Net's own


@dataclass(frozen=True)
class FoldCounts:
    """Numbers of cases and events of a fold. Training cases include those without an outcome."""

    train_cases: int
    train_events: int
    val_cases: int
    val_events: int


def stratified_splits(
    table: SurvivalTable,
    n_folds: int = DEFAULT_FOLDS,
    seed: int = DEFAULT_SEED,
    group_column: str | None = None,
) -> list[Split]:
    """Make random folds with about the same number of events in each.

    Args:
        table: of all cases that are to be split. The order of its rows does not matter.
        n_folds: at least 2.
        seed: at least 0.
        group_column: a clinical column; cases of one value stay on one side of every fold.

    Raises:
        ValueError: if there are fewer cases or groups than folds, or a fold has no case to validate on or
            no event to train on.
        SurvivalTableError: if the group column is missing or empty for a case.
    """
    if n_folds < 2 or seed < 0:
        raise ValueError(
            f"There are {n_folds} folds and the seed is {seed}, expected at least 2 and at least 0."
        )
    event = table.outcomes["event"].sort_index()
    groups = None if group_column is None else table.groups(group_column)
    _check_enough(event, groups, n_folds)
    splitter = StratifiedKFold if groups is None else StratifiedGroupKFold
    folds = splitter(n_folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # Fewer events than folds: logged below, for the folds that it concerns.
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        parts = list(folds.split(event, event, None if groups is None else groups[event.index]))
    return _checked([_split(table, list(event.index[val]), groups) for _, val in parts], table)


def leave_one_out_splits(table: SurvivalTable, column: str) -> list[Split]:
    """Make a fold for each value of a clinical column, in sorted order, which validates on the cases of that value.

    Args:
        table: of all cases that are to be split.
        column: a clinical column, such as the centre.

    Raises:
        ValueError: if the cases with an outcome have one value only, or a fold has no event to train on.
        SurvivalTableError: if the column is missing or empty for a case.
    """
    groups = table.groups(column)
    with_outcome = groups[table.outcomes.index].sort_index()
    values = sorted(with_outcome.unique())
    if len(values) < 2:
        raise ValueError(
            f"All cases with an outcome have '{values[0]}' in column '{column}'; leaving one out leaves nothing."
        )
    val_parts = [list(with_outcome.index[with_outcome == value]) for value in values]
    return _checked([_split(table, val, groups) for val in val_parts], table)


def count_folds(splits: Sequence[Split], table: SurvivalTable) -> list[FoldCounts]:
    """Count the cases and events of each fold."""
    events = set(table.outcomes.index[table.outcomes["event"]])
    return [
        FoldCounts(
            train_cases=len(split["train"]),
            train_events=len(events & set(split["train"])),
            val_cases=len(split["val"]),
            val_events=len(events & set(split["val"])),
        )
        for split in splits
    ]


def _check_enough(event: pd.Series, groups: pd.Series | None, n_folds: int) -> None:
    # scikit-learn's own limit: the larger class must reach every fold.
    larger_class = int(event.value_counts().max())
    if larger_class < n_folds:
        raise ValueError(
            f"{int(event.sum())} events and {int((~event).sum())} censored cases are too few for {n_folds} folds; "
            f"ask for at most {larger_class}."
        )
    if groups is not None and groups[event.index].nunique() < n_folds:
        raise ValueError(
            f"{groups[event.index].nunique()} groups in column '{groups.name}' are too few for {n_folds} folds."
        )


def _split(table: SurvivalTable, val: list[str], groups: pd.Series | None) -> Split:
    return {"train": sorted(_train_cases(table, val, groups)), "val": sorted(val)}


def _train_cases(table: SurvivalTable, val: list[str], groups: pd.Series | None) -> Iterator[str]:
    held_out = set(val)
    held_out_groups = set() if groups is None else set(groups[val])
    for case_id in table.case_ids:
        in_held_out_group = groups is not None and groups[case_id] in held_out_groups
        if case_id not in held_out and not in_held_out_group:
            yield case_id


def _checked(splits: list[Split], table: SurvivalTable) -> list[Split]:
    for fold, counts in enumerate(count_folds(splits, table)):
        if counts.val_cases == 0:
            raise ValueError(
                f"Fold {fold} got no case to validate on: the groups are too uneven. Use fewer folds."
            )
        if counts.train_events == 0:
            raise ValueError(f"Fold {fold} has no event to train on: all events are in its validation part.")
        if counts.val_events == 0:
            logger.warning("Fold %d has no event in its validation part: no C-index can come from it.", fold)
    return splits
