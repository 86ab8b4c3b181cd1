"""Decision if a clinical column holds numbers: by ``survival.json``, else by its cells."""

from collections.abc import Collection

import pandas as pd

from nnunetv2_adamss.common.messages import quoted
from nnunetv2_adamss.common.tables.cell_faults import cell_faults, unclear_faults
from nnunetv2_adamss.common.tables.cell_values import MISSING_MARKS, is_missing
from nnunetv2_adamss.common.tables.number_cells import NumberCells
from nnunetv2_adamss.survival.cohort.description import SurvivalDescription

# Stages and grades, such as T1, 2, 3, 4, 4a or ECOG 0 to 4, have fewer numbers; measurements have more.
_LEAST_VALUES = 6


def is_numeric(cells: pd.Series, description: SurvivalDescription) -> bool:
    """Return True if a column's values are kept as numbers.

    Args:
        cells: text; the name of the column is known.
        description: of its table.
    """
    name = str(cells.name)
    if name in description.columns:
        return description.columns[name].is_numeric
    if name == description.group_column:
        return False
    return holds_numbers(cells, description.missing_codes(name))


def holds_numbers(cells: pd.Series, declared: Collection[str] = ()) -> bool:
    """Return True if a column that is not described is one of numbers.

    With six different numbers or more it is, if at least half of the cells that are not missing are numbers. With
    fewer it may hold categories that look like numbers, and is one of numbers only if no cell holds text.

    Args:
        cells: text.
        declared: codes for missing values beside the known ones.
    """
    numbers = NumberCells.of(cells, declared)
    looks_like_number = numbers.values.notna() | numbers.unclear
    if not looks_like_number.any():
        return bool(is_missing(cells, declared).all())
    if cells[looks_like_number].nunique() < _LEAST_VALUES:
        is_nothing = is_missing(cells, declared) | cells.str.casefold().isin(MISSING_MARKS)
        return bool((looks_like_number | is_nothing).all())
    return bool(looks_like_number.sum() >= numbers.is_text.sum())


def mixed_faults(cells: pd.Series, declared: Collection[str] = ()) -> list[str]:
    """Faults for cells that are not, or may not be, numbers in a column of numbers that is not described.

    Args:
        cells: text.
        declared: codes for missing values beside the known ones.
    """
    if not holds_numbers(cells, declared):
        return []
    numbers = NumberCells.of(cells, declared)
    if numbers.may_be_lists:
        return cell_faults(
            f"column {quoted(cells.name)} may hold numbers with decimal commas or lists of numbers; describe it in "
            "survival.json as number or as category",
            cells[numbers.has_comma],
        )
    n_given = int((~numbers.missing).sum())
    text = cells[numbers.is_text]
    return [
        *cell_faults(
            f"column {quoted(cells.name)} holds numbers in {n_given - len(text)} of {n_given} cells, and no finite "
            "numbers in the others; correct these, list them under 'missing_values' in survival.json if nothing is "
            "known there, or describe the column there as category",
            text,
        ),
        *unclear_faults(numbers),
    ]
