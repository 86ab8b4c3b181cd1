"""The description of a survival table in ``survival.json``: the unit of time and the types of its columns."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nnunetv2_adamss.common.case_names import CASE_ID
from nnunetv2_adamss.common.files import parse_json
from nnunetv2_adamss.common.kinds import list_of
from nnunetv2_adamss.common.messages import quoted, shortened
from nnunetv2_adamss.common.tables.cell_values import MISSING_TEXTS, category_text, code_key
from nnunetv2_adamss.common.tables.faults import FileFaultsError

DESCRIPTION_FILE = "survival.json"
TIME, EVENT = "time", "event"
REQUIRED_COLUMNS = (CASE_ID, TIME, EVENT)
NUMBER, ORDINAL, CATEGORY = "number", "ordinal", "category"
COLUMN_KINDS = (NUMBER, ORDINAL, CATEGORY)
TIME_UNITS = ("days", "weeks", "months", "years")
_KEYS = ("time_unit", "endpoint", "columns", "group_column", "missing_values")
_ARE_TEXTS_OR_NUMBERS = list_of((str, int, float))
_COLUMN_KEYS = ("type", "categories", "missing_values")


class SurvivalDescriptionError(FileFaultsError):
    """A ``survival.json`` that cannot be used, with all its faults."""


@dataclass(frozen=True)
class ColumnType:
    """The type of a clinical column.

    Args:
        kind: ``"number"``, ``"ordinal"`` or ``"category"``.
        categories: the allowed values as text, in order for an ordinal column; empty where any are allowed.
        missing_values: codes that mean a missing value in this column, beside the known ones.
    """

    kind: str
    categories: tuple[str, ...] = ()
    missing_values: tuple[str, ...] = ()

    @property
    def is_numeric(self) -> bool:
        """True if the values are kept as numbers, as also in an ordinal column without categories."""
        return self.kind == NUMBER or (self.kind == ORDINAL and not self.categories)


@dataclass(frozen=True)
class SurvivalDescription:
    """A study's description of its survival table.

    Args:
        time_unit: ``"days"``, ``"weeks"``, ``"months"`` or ``"years"``.
        endpoint: the event in words.
        columns: the type of each described clinical column.
        group_column: the column that names the centre.
        missing_values: codes that mean a missing value in any clinical column, beside the known ones.
    """

    time_unit: str = "days"
    endpoint: str | None = None
    columns: Mapping[str, ColumnType] = field(default_factory=dict)
    group_column: str | None = None
    missing_values: tuple[str, ...] = ()

    @classmethod
    def beside(cls, csv_file: Path) -> SurvivalDescription:
        """Read ``survival.json`` in the folder of the table; the defaults if there is none.

        Raises:
            SurvivalDescriptionError: with every fault of the file.
        """
        file = Path(csv_file).parent / DESCRIPTION_FILE
        return read_survival_description(file) if file.exists() else cls()

    def missing_codes(self, column: str) -> tuple[str, ...]:
        """Codes for missing values in a clinical column, beside the known ones."""
        own = self.columns[column].missing_values if column in self.columns else ()
        return (*self.missing_values, *own)


def read_survival_description(json_file: Path) -> SurvivalDescription:
    """Read and check a ``survival.json``.

    Raises:
        SurvivalDescriptionError: with every fault of the file.
    """
    return parse_survival_description(read_content(json_file), json_file)


def parse_survival_description(content: dict[str, Any], json_file: Path) -> SurvivalDescription:
    """Check and convert the result of :func:`read_content`.

    Raises:
        SurvivalDescriptionError: naming the file, with every fault.
    """
    faults: list[str] = []
    description = _parse(content, faults)
    if faults:
        raise SurvivalDescriptionError(json_file, faults)
    return description


def read_content(json_file: Path) -> dict[str, Any]:
    """Read the object in a ``survival.json``, unchecked.

    Raises:
        SurvivalDescriptionError: if there is none.
    """
    try:
        content = parse_json(json_file.read_bytes())
    except ValueError as error:
        raise SurvivalDescriptionError(json_file, [f"it is not JSON that can be used ({error})"]) from error
    if not isinstance(content, dict):
        raise SurvivalDescriptionError(json_file, ['it is not an object, such as {"time_unit": "days"}'])
    return content


def _parse(content: dict[str, Any], faults: list[str]) -> SurvivalDescription:
    faults.extend(
        f"{quoted(key)} is not a key; the keys are {', '.join(_KEYS)}" for key in content if key not in _KEYS
    )
    missing_values = _missing_values(content, faults)
    columns = _columns(content.get("columns", {}), missing_values, faults)
    return SurvivalDescription(
        time_unit=_time_unit(content.get("time_unit", "days"), faults),
        endpoint=_text_or_none("endpoint", content, faults),
        columns=columns,
        group_column=_group_column(_text_or_none("group_column", content, faults), columns, faults),
        missing_values=missing_values,
    )


def _time_unit(value: Any, faults: list[str]) -> str:
    if value not in TIME_UNITS:
        faults.append(f"time_unit is {_shown(value)}, expected one of {', '.join(TIME_UNITS)}")
    return value


def _text_or_none(key: str, content: dict[str, Any], faults: list[str]) -> str | None:
    value = content.get(key)
    if value is not None and (not isinstance(value, str) or not value.strip()):
        faults.append(f"{key} is {_shown(value)}, expected text")
        return None
    return value


def _group_column(name: str | None, columns: Mapping[str, ColumnType], faults: list[str]) -> str | None:
    if name in REQUIRED_COLUMNS:
        faults.append(f"group_column is '{name}', expected a column beside {', '.join(REQUIRED_COLUMNS)}")
    elif name is not None and name in columns and columns[name].kind == NUMBER:
        faults.append(f"group_column '{name}' is described as a number; groups are categories")
    return name


def _columns(value: Any, missing_everywhere: Collection[str], faults: list[str]) -> dict[str, ColumnType]:
    if not isinstance(value, dict):
        faults.append(f"columns is {_shown(value)}, expected an object from column name to type")
        return {}
    for name in REQUIRED_COLUMNS:
        if name in value:
            faults.append(f"columns describes '{name}', whose type is fixed")
    columns = {name: _column_type(name, specification, faults) for name, specification in value.items()}
    for name, column in columns.items():
        if column is not None:
            _check_categories(name, column, missing_everywhere, faults)
    return {name: column for name, column in columns.items() if column is not None}


def _column_type(name: str, specification: Any, faults: list[str]) -> ColumnType | None:
    if not isinstance(specification, dict):
        specification = {"type": specification}
    unknown = [key for key in specification if key not in _COLUMN_KEYS]
    faults.extend(
        f"column '{name}' has the key '{key}', expected {', '.join(_COLUMN_KEYS)}" for key in unknown
    )
    kind = specification.get("type")
    if kind not in COLUMN_KINDS:
        faults.append(f"column '{name}' is of type {_shown(kind)}, expected one of {', '.join(COLUMN_KINDS)}")
        return None
    missing = _missing_values(specification, faults, f" of column '{name}'")
    if "categories" not in specification:
        return ColumnType(kind, missing_values=missing)
    if kind == NUMBER:
        faults.append(f"column '{name}' is a number and has no categories; make it ordinal or category")
        return None
    return ColumnType(kind, _categories(name, specification["categories"], faults), missing)


def _categories(name: str, value: Any, faults: list[str]) -> tuple[str, ...]:
    if not value or not _ARE_TEXTS_OR_NUMBERS(value):
        faults.append(
            f"the categories of column '{name}' are {_shown(value)}, expected a list of texts or numbers"
        )
        return ()
    categories = [category_text(str(item).strip()) for item in value]
    repeated = [item for item in dict.fromkeys(categories) if categories.count(item) > 1]
    faults.extend(f"column '{name}' has the category '{item}' twice" for item in repeated)
    return tuple(categories)


def _check_categories(
    name: str, column: ColumnType, missing_everywhere: Collection[str], faults: list[str]
) -> None:
    codes = MISSING_TEXTS.union(map(code_key, (*missing_everywhere, *column.missing_values)))
    faults.extend(
        f"column '{name}' has the category '{item}', which means a missing value"
        for item in column.categories
        if code_key(item) in codes
    )


def _missing_values(content: Mapping[str, Any], faults: list[str], of_column: str = "") -> tuple[str, ...]:
    value = content.get("missing_values", [])
    if not _ARE_TEXTS_OR_NUMBERS(value):
        faults.append(f"missing_values{of_column} is {_shown(value)}, expected a list of texts or numbers")
        return ()
    return tuple(str(item).strip() for item in value)


def _shown(value: Any) -> str:
    return shortened(repr(value))
