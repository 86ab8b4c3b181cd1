"""The survival table of a data set: outcomes and clinical columns, checked once when it is read."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnunetv2_adamss.common.case_names import CASE_ID
from nnunetv2_adamss.common.files import given_path
from nnunetv2_adamss.common.tables.cell_values import category_text, is_missing, is_missing_number
from nnunetv2_adamss.common.tables.csv_cells import read_cells
from nnunetv2_adamss.common.tables.faults import FileFaultsError, with_examples
from nnunetv2_adamss.common.tables.number_cells import read_numbers
from nnunetv2_adamss.survival.cohort.column_kind import is_numeric
from nnunetv2_adamss.survival.cohort.description import (
    CATEGORY,
    EVENT,
    NUMBER,
    REQUIRED_COLUMNS,
    TIME,
    ColumnType,
    SurvivalDescription,
    SurvivalDescriptionError,
)
from nnunetv2_adamss.survival.cohort.table_faults import EVENT_TEXTS, empty_group_fault, table_faults


class SurvivalTableError(FileFaultsError):
    """A survival table that cannot be used, with all its faults and those of its description."""


# Comparing data frames gives no single truth value, so the table has no equality of its own.
@dataclass(frozen=True, eq=False)
class SurvivalTable:
    """A survival table that passed every check.

    Args:
        outcomes: index ``case_id``; ``time`` (float, > 0, in ``description.time_unit``) and ``event`` (bool,
            True = observed). Only cases that have an outcome.
        clinical: index ``case_id``; every further column, for every case. Numbers are float, the rest text;
            NaN where missing.
        description: the content of ``survival.json``.
        without_outcome: cases whose time and event are empty. They can be used for Stage I only.
        path: the file.
        texts: as ``clinical``, but numbers as text too, for models that learnt a column as categories.
    """

    # Not shown: nnU-Net writes every attribute of a trainer into debug.json, which goes into exported models.
    outcomes: pd.DataFrame = field(repr=False)
    clinical: pd.DataFrame = field(repr=False)
    description: SurvivalDescription
    without_outcome: list[str]
    path: Path
    texts: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)

    @property
    def case_ids(self) -> list[str]:
        """All cases, in the order of the file."""
        return list(self.clinical.index)

    @property
    def column_types(self) -> dict[str, ColumnType]:
        """The type of every clinical column: as described, else number or category by its values.

        Each has all codes for missing values of its column, so that new patients' values are read the same way.
        """
        types = {
            name: self.description.columns.get(name) or _type_by_values(self.clinical[name])
            for name in map(str, self.clinical)
        }
        codes = self.description.missing_codes
        return {name: replace(one, missing_values=codes(name)) for name, one in types.items()}

    def time_and_event(self, case_ids: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """The outcomes of these cases, in this order.

        Returns:
            ``time``, in ``description.time_unit``, and ``event``, both ``(n_cases,)``.

        Raises:
            SurvivalTableError: if a case has no outcome.
        """
        without = [case_id for case_id in case_ids if case_id not in self.outcomes.index]
        if without:
            raise SurvivalTableError(self.path, [with_examples("cases have no outcome", without)])
        rows = self.outcomes.loc[list(case_ids)]
        return rows[TIME].to_numpy(np.float64), rows[EVENT].to_numpy(np.bool_)

    def has_outcome(self, case_ids: Sequence[str]) -> NDArray[np.bool_]:
        """Find the cases that have an outcome; boolean, ``(n_cases,)``.

        Raises:
            SurvivalTableError: if a case has no row.
        """
        unknown = [case_id for case_id in case_ids if case_id not in self.clinical.index]
        if unknown:
            raise SurvivalTableError(self.path, [with_examples("predicted cases have no row", unknown)])
        return np.asarray(pd.Index(case_ids).isin(self.outcomes.index))

    def groups(self, column: str) -> pd.Series:
        """A clinical column as text, which names the group of each case; index ``case_id``.

        Raises:
            SurvivalTableError: if the column does not exist, or a case has no value in it.
        """
        if column not in self.clinical:
            names = ", ".join(map(str, self.clinical)) or "none"
            raise SurvivalTableError(
                self.path, [f"there is no clinical column '{column}'; the clinical columns are: {names}"]
            )
        values = self.clinical[column]
        if values.isna().any():
            raise SurvivalTableError(self.path, [empty_group_fault(column, values.index[values.isna()])])
        return values.map(lambda value: category_text(str(value)))


def read_survival_table(
    csv_file: str | Path, known_cases: Collection[str] | None = None, *, needs_events: bool = True
) -> SurvivalTable:
    r"""Read and check a survival table and the ``survival.json`` beside it, if there is one.

    Args:
        csv_file: columns ``case_id``, ``time``, ``event`` and any clinical columns.
        known_cases: the cases that have an image: each needs a row, and no other case may have one.
        needs_events: whether a table without any event is a fault, since nothing can be learnt from it.

    Raises:
        SurvivalTableError: with every fault of both files.
        ValueError: if it is no file, but a data frame for example.

    Examples:
        >>> from pathlib import Path
        >>> import nnunetv2_adamss as adamss
        >>> rows = ["case_id,time,event,age", "STS_001,266,1,59", "STS_002,501,0,", "STS_003,,,17"]
        >>> _ = Path("survival.csv").write_text("\n".join(rows))
        >>> table = adamss.read_survival_table("survival.csv")
        >>> table.outcomes.index.tolist(), table.without_outcome
        (['STS_001', 'STS_002'], ['STS_003'])
        >>> table.clinical["age"].tolist()
        [59.0, nan, 17.0]

        All faults of a table are named together:

        >>> _ = Path("survival.csv").write_text("case_id,time,event\nSTS_001,-5,2")
        >>> adamss.read_survival_table("survival.csv")
        Traceback (most recent call last):
            ...
        nnunetv2_adamss.survival.cohort.survival_table.SurvivalTableError: survival.csv has 2 faults:
        ...
    """
    csv_file = given_path(
        "csv_file", csv_file, "the path of a CSV file, beside which survival.json is looked for"
    )
    description, faults = SurvivalDescription(), []
    try:
        description = SurvivalDescription.beside(csv_file)
    except SurvivalDescriptionError as error:
        faults += [f"{error.path.name} beside it: {fault}" for fault in error.faults]
    try:
        cells = read_cells(csv_file)
    except FileFaultsError as error:
        raise SurvivalTableError(csv_file, [*error.faults, *faults]) from error
    faults += table_faults(cells, description, known_cases, needs_events=needs_events)
    if faults:
        raise SurvivalTableError(csv_file, faults)
    return _table(cells, description, csv_file)


def _table(cells: pd.DataFrame, description: SurvivalDescription, path: Path) -> SurvivalTable:
    cells = cells.set_index(CASE_ID)
    with_outcome = ~is_missing_number(cells[TIME])
    observed = cells[with_outcome]
    outcomes = pd.DataFrame(
        {TIME: read_numbers(observed[TIME]), EVENT: observed[EVENT].map(EVENT_TEXTS).astype(bool)}
    )
    clinical = cells[[name for name in cells if name not in REQUIRED_COLUMNS]]
    return SurvivalTable(
        outcomes=outcomes,
        clinical=clinical.apply(_clinical_values, description=description),
        description=description,
        without_outcome=list(cells.index[~with_outcome]),
        path=path,
        texts=clinical.apply(_texts, description=description),
    )


def _clinical_values(cells: pd.Series, description: SurvivalDescription) -> pd.Series:
    if is_numeric(cells, description):
        return read_numbers(cells, description.missing_codes(str(cells.name)))
    return _texts(cells, description)


def _texts(cells: pd.Series, description: SurvivalDescription) -> pd.Series:
    codes = description.missing_codes(str(cells.name))
    return cells.map(category_text).mask(is_missing(cells, codes), np.nan)


def _type_by_values(values: pd.Series) -> ColumnType:
    return ColumnType(NUMBER if pd.api.types.is_float_dtype(values) else CATEGORY)
