"""Read the tables of a cohort as text, with the names that this package gives their columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import pandas as pd

from nnunetv2_adamss.common.messages import listed, quoted, shortened
from nnunetv2_adamss.common.tables.csv_cells import read_cells
from nnunetv2_adamss.datasets.conversion.presets import COLUMNS, PATIENT, Preset, title_key
from nnunetv2_adamss.datasets.conversion.source_patients import files_below, patient_key


def find_tables(source: Path, preset: Preset) -> list[Path]:
    """Find the tables of a cohort anywhere below the source, since each task of HECKTOR 2025 has its own.

    Raises:
        ValueError: if there is none.
    """
    found = [
        path
        for path in files_below(source)
        if any(fnmatchcase(path.name.casefold(), name) for name in preset.tables)
    ]
    if not found:
        raise ValueError(
            f"There is no table below {source} that is called {' or '.join(preset.tables)}. "
            "Say where the tables are with --tables."
        )
    return found


def read_tables(files: Sequence[Path], preset: Preset) -> tuple[pd.DataFrame, list[str]]:
    """Join the tables of a cohort, one row a patient.

    Args:
        files: CSV or Excel (its first sheet). Each names the patients; if several have a value, the first counts.
        preset: names of the columns.

    Returns:
        Text cells, empty where nothing is known; the index is the patient's key, ``patient`` the name as the tables
        spell it. And warnings, such as that there are no outcomes at all: test sets have none.

    Raises:
        ValueError: if a table does not name the patients, has a patient twice, or a part of the outcome is missing;
            the message names the columns that were expected and found.
    """
    titles = {**preset.titles, **{name: COLUMNS[name].titles for name in preset.columns}}
    tables = [_with_our_names(file, titles) for file in files]
    has_outcomes = _check_columns(files, tables, preset, titles)
    rows = tables[0]
    for table in tables[1:]:
        rows = rows.combine_first(table)
    looked_for = [name for name in titles if has_outcomes or name not in preset.titles]
    warnings = [*_conflicts(files, tables), *_absent(rows, {name: titles[name] for name in looked_for})]
    if not has_outcomes:
        outcome = [names[0] for name, names in preset.titles.items() if name != PATIENT]
        warnings.insert(
            0,
            f"no table has {' or '.join(outcome)}, so no patient has an outcome: {listed([f.name for f in files])}",
        )
    return rows.reindex(columns=list(titles)).fillna(""), warnings


def cells_of(file: Path) -> pd.DataFrame:
    """Read a table's cells as text; column names may repeat.

    Raises:
        ValueError: if it cannot be read.
    """
    if file.suffix.casefold() != ".xlsx":
        return read_cells(file)
    try:
        sheet = pd.read_excel(file, dtype=str, na_filter=False)
    except Exception as error:  # any error of unpacking and parsing a damaged file
        raise ValueError(f"{file} cannot be read as an Excel sheet ({error}).") from error
    if sheet.empty:
        raise ValueError(f"The first sheet of {file} has no rows.")
    sheet = sheet.map(str.strip)
    is_blank = (sheet.iloc[:, 0] == "").cummax()  # notes stand below a blank row
    return sheet[~is_blank]


def _with_our_names(file: Path, titles: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    cells = cells_of(file)
    found = [title_key(str(title)) for title in cells.columns]
    ours = {}
    for name, candidates in titles.items():
        for key in map(title_key, candidates):
            if key in found and name not in ours:
                ours[name] = cells.iloc[:, found.index(key)].mask(lambda column: column == "")
    table = pd.DataFrame(ours)
    table.attrs["titles"] = [str(title) for title in cells.columns]
    if PATIENT not in table:
        return table
    keys = table[PATIENT].fillna("").map(patient_key)
    return table.set_index(keys)[(keys != "").to_numpy()]


def _check_columns(
    files: Sequence[Path],
    tables: Sequence[pd.DataFrame],
    preset: Preset,
    titles: Mapping[str, Sequence[str]],
) -> bool:
    """Raise ValueError if a column is missing; return True if there are outcomes."""
    nameless = [file.name for file, table in zip(files, tables, strict=True) if PATIENT not in table]
    outcome = set(preset.titles) - {PATIENT}
    has_outcomes = any(name in table for table in tables for name in outcome)
    absent = [PATIENT] if nameless else []
    if has_outcomes:
        absent += [name for name in outcome if not any(name in table for table in tables)]
    if absent:
        raise ValueError(_absent_message(absent, nameless, files, tables, titles))
    for file, table in zip(files, tables, strict=True):
        repeated = table[PATIENT][table.index.duplicated()].unique()
        if len(repeated):
            raise ValueError(
                f"{file} has more than one row of a patient: {listed(list(map(shortened, repeated)))}."
            )
    return has_outcomes


def _absent_message(
    absent: Sequence[str],
    nameless: Sequence[str],
    files: Sequence[Path],
    tables: Sequence[pd.DataFrame],
    titles: Mapping[str, Sequence[str]],
) -> str:
    found = "; ".join(
        f"{file.name}: {', '.join(table.attrs['titles'])}" for file, table in zip(files, tables, strict=True)
    )
    return (
        f"The tables have no column for {', '.join(absent)}{' in ' + listed(nameless) if nameless else ''}. "
        f"Expected: {', '.join(' or '.join(names) for names in titles.values())}. Found in {found}."
    )


def _conflicts(files: Sequence[Path], tables: Sequence[pd.DataFrame]) -> list[str]:
    """Report values of one patient that differ between tables, one sentence for each two files."""
    return [
        f"tables differ, the first one counts: {listed(found)}, in {_apart(files[first], files[second])}"
        for second in range(len(tables))
        for first in range(second)
        if (found := _differences(tables[first], tables[second]))
    ]


def _differences(first: pd.DataFrame, second: pd.DataFrame) -> list[str]:
    patients = first.index.intersection(second.index)
    found = []
    for name in first.columns.intersection(second.columns).drop(PATIENT):
        a, b = first.loc[patients, name], second.loc[patients, name]
        differ = patients[(a.notna() & b.notna() & (a != b)).to_numpy()]
        found += [
            f"{first.loc[key, PATIENT]} ({name} {quoted(a[key])} and {quoted(b[key])})" for key in differ
        ]
    return found


def _apart(first: Path, second: Path) -> str:
    """Name two files, by path if they have the same name."""
    if first.name != second.name:
        return f"{first.name} and {second.name}"
    return f"{first} and {second}"


def _absent(rows: pd.DataFrame, titles: Mapping[str, Sequence[str]]) -> list[str]:
    absent = [
        " or ".join(names) for name, names in titles.items() if name not in rows.columns and name != PATIENT
    ]
    return [f"no table has the column {title}" for title in absent]
