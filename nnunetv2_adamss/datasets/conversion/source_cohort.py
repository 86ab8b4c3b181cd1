"""A cohort to convert, of any layout: patients with their files, outcomes and clinical values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from nnunetv2_adamss.common.messages import listed, shortened
from nnunetv2_adamss.common.tables.cell_values import category_text
from nnunetv2_adamss.common.tables.faults import faults_of
from nnunetv2_adamss.common.tables.number_cells import as_numbers, plain_numbers
from nnunetv2_adamss.datasets.conversion.clinical_values import tidy
from nnunetv2_adamss.datasets.conversion.patient_grid import GridChoice
from nnunetv2_adamss.datasets.conversion.presets import (
    CENTRE,
    COLUMNS,
    EVENT,
    PATIENT,
    TIME,
    Preset,
    is_unknown,
)
from nnunetv2_adamss.datasets.conversion.scans import PatientSource
from nnunetv2_adamss.datasets.conversion.source_patients import (
    about_unused,
    find_patients,
    number_of_patients,
    patient_key,
)
from nnunetv2_adamss.datasets.conversion.source_tables import find_tables, read_tables

_LEAST_LONGEST_DAYS = 200  # some patient of every cohort is followed for longer


@dataclass(frozen=True, eq=False)
class Cohort:
    """A cohort to convert.

    Args:
        patients: with scans.
        table: ``case_id, time, event`` and clinical columns, text, one row a patient; empty where nothing is known.
        description: content of ``survival.json``.
        labels: as in ``dataset.json``.
        warnings: on the tables.
        broken: faults of patients that cannot be converted, by their name.
        tables: the files that outcomes and clinical values are from.
        origin: entries of ``dataset.json`` on where the images come from.
    """

    patients: Sequence[PatientSource]
    table: pd.DataFrame
    description: Mapping[str, Any]
    labels: Mapping[str, int]
    warnings: Sequence[str]
    broken: Mapping[str, str]
    tables: Sequence[Path]
    origin: Mapping[str, str] = field(default_factory=dict)


def read_cohort(
    source: Path, preset: Preset, grid: GridChoice, tables: Sequence[Path] | None = None
) -> Cohort:
    """Find the patients of a published cohort and join their rows.

    Args:
        source: its folder.
        preset: how it is laid out.
        grid: the common grid, which decides on the mask if each scan has its own.
        tables: where its tables are; None to look for them in the folder.

    Raises:
        ValueError: if there are no scans or no tables, or a table is not as expected.
    """
    if not source.is_dir():
        raise ValueError(f"{source} is not a folder.")
    patients, broken, unused = find_patients(source, preset.files, grid)
    files = tables or find_tables(source, preset)
    rows, warnings = read_tables(files, preset)
    keys = {patient_key(patient.case_id): patient.case_id for patient in patients}
    if not set(keys) & set(rows.index):
        raise ValueError(
            f"No patient of the tables ({listed(list(map(shortened, rows[PATIENT])))}) has scans "
            f"({listed(list(keys.values()))}): is this one cohort?"
        )
    warnings += [*_unmatched(rows[PATIENT], keys, broken), *about_unused(unused)]
    rows = rows.map(lambda cell: "" if is_unknown(cell) else category_text(cell))
    rows = rows.reindex(list(keys), fill_value="")
    rows.index = pd.Index(list(keys.values()), name="case_id")
    outcomes, outcome_warnings = _outcomes(rows, preset)
    clinical, clinical_warnings = tidy(rows[list(preset.columns)])
    if preset.has_centre:
        clinical[CENTRE] = _centres(rows.index)
    description, remarks = _description(clinical, preset)
    return Cohort(
        patients=patients,
        table=pd.concat([outcomes, clinical], axis=1).reset_index(),
        description=description,
        labels=preset.labels,
        warnings=[*warnings, *outcome_warnings, *clinical_warnings, *remarks],
        broken=broken,
        tables=files,
        origin=preset.origin,
    )


def _unmatched(names: pd.Series, keys: Mapping[str, str], broken: Iterable[str]) -> list[str]:
    """Report patients who have only a row or only scans; ``names``: as the tables spell them, by key."""
    without_scans = sorted(map(shortened, names.drop([*keys, *map(patient_key, broken)], errors="ignore")))
    without_row = [name for key, name in keys.items() if key not in names.index]
    found = ((without_scans, "in the tables without scans"), (without_row, "without a row in the tables"))
    return [f"{number_of_patients(len(who))} {what}: {listed(who)}" for who, what in found if who]


def _outcomes(rows: pd.DataFrame, preset: Preset) -> tuple[pd.DataFrame, list[str]]:
    """Return ``time`` and ``event`` as text, both or none, and the reasons why some have none."""
    found = rows
    if preset.outcome_of is not None:
        records = [
            preset.outcome_of(dict(zip(rows.columns, cells, strict=True))) for cells in rows.to_numpy()
        ]
        found = pd.DataFrame(records, index=rows.index)
    found = found.assign(**{TIME: plain_numbers(found[TIME])})
    usable = found[EVENT].isin(["0", "1"]) & (as_numbers(found[TIME]) > 0)
    blank = (found[TIME] == "") & (found[EVENT] == "")
    outcomes = found[[TIME, EVENT]].where(usable, "")
    odd = found[~usable & ~blank]
    wrong = [
        f"{row[0]} ({shortened(row[1])}, {shortened(row[2])})" for row in odd[[TIME, EVENT]].itertuples()
    ]
    warnings = faults_of("no outcome, since time and event make no sense", wrong)
    longest = as_numbers(outcomes[TIME]).max()
    if longest < _LEAST_LONGEST_DAYS:
        warnings.append(
            f"the longest time is {longest:g}: is it in days, as the data set description will say?"
        )
    return outcomes, warnings


def _centres(case_ids: Iterable[str]) -> list[str]:
    """Return the first letters of patients' names; patients of other names form one group."""
    letters = [re.match("[A-Za-z]*", case_id) for case_id in case_ids]
    return [match[0].upper() or "other" if match else "other" for match in letters]


def _description(clinical: pd.DataFrame, preset: Preset) -> tuple[dict[str, Any], list[str]]:
    """Return the content of ``survival.json``. A value outside the known order makes an ordinal column a category."""
    columns: dict[str, Any] = {}
    remarks = []
    for name in preset.columns:
        column, values = COLUMNS[name], sorted(set(clinical[name]) - {""})
        if not values:
            continue
        unknown = [value for value in values if value not in column.categories]
        if column.kind != "ordinal":
            columns[name] = column.kind
        elif unknown:
            columns[name] = "category"
            remarks.append(
                f"{name} is taken as a category, since its order is not known for "
                f"{listed(list(map(shortened, unknown)))}"
            )
        else:
            used = [category for category in column.categories if category in values]
            columns[name] = {"type": "ordinal", "categories": used}
    description = {"time_unit": "days", "endpoint": preset.endpoint, "columns": columns}
    return description | ({"group_column": CENTRE} if preset.has_centre else {}), remarks
