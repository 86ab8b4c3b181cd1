"""Choice of the encoding of each clinical column, on the training cases (Section 4.1 of the paper)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency

from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.survival.cohort.description import CATEGORY, ColumnType
from nnunetv2_adamss.survival.covariates.indicator import RARE, UNKNOWN, Indicator, texts_of

# choice: the paper does not define which categories are too rare for a column of their own. A share of the cases would
# drop small groups at high risk from a large table: a weight needs a number of cases, not a share of them.
_MIN_CASES = 5
# choice: the share of missing training cases from which on "unknown" is a category of its own.
_UNKNOWN_SHARE = 0.05
# choice: missing values depend on the centre if a chi-squared test gives a P value below this.
_CENTRE_P = 0.05


@dataclass(frozen=True)
class EncodedColumn:
    """The encoding of a clinical column, and notes.

    Args:
        indicator: the encoding, or None if nothing can be learned from the column.
        notes: sentences about the column for the user.
    """

    indicator: Indicator | None
    notes: tuple[str, ...]


def fit_indicators(
    training: pd.DataFrame, types: Mapping[str, ColumnType], groups: pd.Series | None = None
) -> tuple[list[Indicator], list[str]]:
    """Choose the encoding of each column.

    Args:
        training: clinical columns of the training cases, numbers or text, NaN where missing.
        types: of each column.
        groups: the centre of each training case, if known.

    Returns:
        The indicators from which something can be learned, in the table's order, and sentences on what was
        imputed, merged or left out.
    """
    encoded = [_encoded(training[name], types[str(name)], groups) for name in training]
    indicators = [column.indicator for column in encoded if column.indicator is not None]
    return indicators, [note for column in encoded for note in column.notes]


def _encoded(values: pd.Series, column_type: ColumnType, groups: pd.Series | None) -> EncodedColumn:
    if values.isna().all():
        return EncodedColumn(None, (f"'{values.name}' has no value in the training cases and is left out.",))
    with_centre = groups is not None and _depends_on(values.isna(), groups)
    fit = _fit_category if column_type.kind == CATEGORY else _fit_number
    column = fit(values, column_type, with_centre)
    if with_centre and column.indicator is not None:
        warning = (
            f"Whether '{values.name}' is known goes with the centre, so a gap says where a patient was treated, not "
            "how they fare; it is imputed."
        )
        return replace(column, notes=(warning, *column.notes))
    return column


def _fit_number(values: pd.Series, column_type: ColumnType, with_centre: bool) -> EncodedColumn:
    name = str(values.name)
    plain = Indicator(
        name,
        column_type.kind,
        0.0,
        levels=column_type.categories,
        missing_values=column_type.missing_values,
    )
    numbers = plain.numbers(values)
    if not numbers.max() > numbers.min():
        return _left_out(name)
    fill = float(numbers.median())
    shown = plain.levels[int(fill)] if plain.levels else f"{fill:g}"
    notes = _imputed(numbers.isna(), name, f"the median, {shown}")
    fitted = replace(
        plain,
        fill=fill,
        mean=float(numbers.mean()),
        spread=float(numbers.std(ddof=0)),
        lowest=float(numbers.min()),
        highest=float(numbers.max()),
    )
    return EncodedColumn(fitted, notes)


def _fit_category(values: pd.Series, column_type: ColumnType, with_centre: bool) -> EncodedColumn:
    name, text = str(values.name), texts_of(values)
    counts = text.value_counts()
    by_frequency = sorted(counts.index, key=lambda level: (-counts[level], level))
    levels = [level for level in by_frequency if counts[level] >= _MIN_CASES]
    if not levels:
        return _left_out(name)
    merged = [level for level in by_frequency if level not in levels]
    notes: list[str] = []
    if counts[merged].sum() >= _MIN_CASES:
        levels.append(RARE)
    missing = text.isna()
    is_level = missing.sum() >= max(_MIN_CASES, _UNKNOWN_SHARE * len(text)) and not with_centre
    if is_level:
        levels.append(UNKNOWN)
    if len(levels) == 1:
        return _left_out(name)
    if merged:
        target = "one category" if RARE in levels else f"the most frequent one, {levels[0]}"
        notes.append(f"'{name}' has rare categories, which count as {target}: {listed(merged)}.")
    fill = UNKNOWN if is_level else levels[0]
    notes += _imputed(
        missing, name, "a category of its own" if is_level else f"the most frequent one, {fill}"
    )
    fitted = Indicator(
        name, CATEGORY, fill, tuple(levels), tuple(merged), missing_values=column_type.missing_values
    )
    return EncodedColumn(fitted, tuple(notes))


def _left_out(name: str) -> EncodedColumn:
    return EncodedColumn(
        None, (f"'{name}' has one value in the training cases, or too few of any other, and is left out.",)
    )


def _imputed(missing: pd.Series, name: str, stand_in: str) -> tuple[str, ...]:
    if not missing.any():
        return ()
    return (f"'{name}' is missing in {int(missing.sum())} of {len(missing)} training cases: {stand_in}.",)


def _depends_on(missing: pd.Series, groups: pd.Series) -> bool:
    counts = pd.crosstab(missing.to_numpy(), groups.to_numpy()).to_numpy()
    if min(counts.shape) < 2:
        return False
    return bool(np.asarray(chi2_contingency(counts).pvalue) < _CENTRE_P)
