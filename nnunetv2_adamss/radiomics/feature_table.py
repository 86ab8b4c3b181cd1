"""A table of features and its provenance: ``features.csv`` and ``features.json``."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from nnunetv2_adamss.common.files import UNFINISHED, put_in_place, sha256_of, write_atomically
from nnunetv2_adamss.common.json_object import read_object
from nnunetv2_adamss.common.kinds import Kind, by_name, check_kinds, list_of, optional
from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.common.tables.csv_text import csv_text, read_csv
from nnunetv2_adamss.radiomics.request import RadiomicsRequest
from nnunetv2_adamss.survival.covariates.radiomics_table import provenance_file

_ROW: dict[str, Kind] = {
    "inputs_sha256": str,
    "features": by_name(optional((int, float))),
    "notes": list_of(str),
}


@dataclass(frozen=True)
class Row:
    """One case of a feature table.

    Args:
        inputs_sha256: hash of images and mask.
        features: by column; NaN for no value. Empty for a case without a region that features could describe.
        notes: what a user should know of the case.
    """

    inputs_sha256: str
    features: Mapping[str, float]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain data; NaN becomes None, since JSON has no NaN."""
        values = {name: None if math.isnan(value) else value for name, value in self.features.items()}
        return {"inputs_sha256": self.inputs_sha256, "features": values, "notes": list(self.notes)}

    @classmethod
    def from_dict(cls, values: Any) -> "Row":
        """Row from plain data, which may be from a file that was written in part or by another program.

        Raises:
            ValueError: if it is not what ``to_dict`` gives.
        """
        check_kinds(values, _ROW)
        features = {name: math.nan if value is None else value for name, value in values["features"].items()}
        return cls(values["inputs_sha256"], features, tuple(values["notes"]))


def unfinished_folder(table: Path) -> Path:
    """Folder of the cases of a table that is being extracted."""
    return table.with_suffix(UNFINISHED)


def write_table(
    table: Path,
    rows: Mapping[str, Row],
    broken: Mapping[str, str],
    request: RadiomicsRequest,
    masks: Mapping[str, Any],
) -> None:
    """Write table and provenance, each whole or not at all; an empty cell is a feature without a value.

    Args:
        table: the CSV file.
        rows: by ``case_id``.
        broken: what is wrong with the cases that have no row.
        request: what was extracted.
        masks: source of the masks, as plain data.
    """
    case_ids = sorted(rows)
    frame = pd.DataFrame([dict(rows[c].features) for c in case_ids], index=case_ids, columns=_columns(rows))
    text = csv_text(frame, index_label="case_id", lineterminator="\n")
    unfinished_folder(table).mkdir(parents=True, exist_ok=True)
    # Hashed as a file, since line ends may differ. The provenance comes first: a table without one is not trusted.
    draft = unfinished_folder(table) / "table.csv"
    write_atomically(draft, text)
    provenance = {
        "n_cases": len(rows),
        "n_features": len(frame.columns),
        "masks": dict(masks),
        "settings_file": request.settings.name,
        "settings_sha256": request.settings.sha256(),
        "request": request.to_dict(),
        "request_sha256": request.sha256(),
        "versions": {name: version(name) for name in ("nnunetv2-adamss", "numpy", "scipy", "pandas")},
        "table_sha256": sha256_of(draft),
        "broken_cases": dict(broken),
        "cases": {
            case_id: {"inputs_sha256": row.inputs_sha256, "notes": list(row.notes)}
            for case_id, row in sorted(rows.items())
        },
    }
    write_atomically(provenance_file(table), json.dumps(provenance, indent=1))
    put_in_place(draft, table)


def read_rows(table: Path, request: RadiomicsRequest) -> dict[str, Row]:
    """Read the rows that an earlier run of the same request wrote; none if there was none.

    Raises:
        ValueError: if there is a table of another request, which would be lost, or its provenance is
            damaged.
    """
    if not table.is_file():
        return {}
    instead = "Choose another file for the features, or add --overwrite to replace it."
    if not provenance_file(table).is_file():
        raise ValueError(
            f"{table} is there, but no {provenance_file(table).name} that says what it is. {instead}"
        )
    try:
        provenance = read_provenance(provenance_file(table))
    except ValueError as error:
        raise ValueError(f"{error} {instead}") from error
    if provenance["request_sha256"] != request.sha256():
        changes = _changes(provenance["request"], request.to_dict())
        raise ValueError(f"{table} was extracted with other settings: {listed(changes)}. {instead}")
    if provenance["table_sha256"] != sha256_of(table):
        if unfinished_folder(table).is_dir():  # killed between the two files
            return {}
        raise ValueError(f"{table} has been changed by hand since it was extracted. {instead}")
    frame = read_csv(table, index_col="case_id", dtype={"case_id": str}, float_precision="round_trip")
    return {
        case_id: Row(case["inputs_sha256"], frame.loc[case_id].to_dict(), tuple(case["notes"]))
        for case_id, case in provenance["cases"].items()
        if case_id in frame.index
    }


def read_provenance(file: Path) -> dict[str, Any]:
    """Read the provenance of a table.

    Raises:
        ValueError: naming the file, if it is damaged or another program's.
    """
    provenance = read_object(file, request_sha256=str, request=dict, table_sha256=str, masks=dict, cases=dict)
    for case_id, case in provenance["cases"].items():
        try:
            Row.from_dict({"features": {}, **case})
        except (TypeError, ValueError) as error:
            raise ValueError(f"{file} is damaged: its case {case_id} has no hash and notes.") from error
    return provenance


def _columns(rows: Mapping[str, Row]) -> list[str]:
    """All columns, in the order of the case that has most of them, so that the order is always the same."""
    columns: dict[str, None] = {}
    for row in sorted(rows.values(), key=lambda row: -len(row.features)):
        columns |= dict.fromkeys(row.features)
    return list(columns)


def _changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Describe the differences between two nested dictionaries."""
    old, new = dict(_leaves(before)), dict(_leaves(now))
    return [
        f"{name} was {old.get(name, 'not there')}, and now is {new.get(name, 'not there')}"
        for name in dict.fromkeys([*old, *new])
        if old.get(name) != new.get(name)
    ]


def _leaves(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    leaves = []
    for name, value in values.items():
        leaves += (
            _leaves(value, f"{prefix}{name} ") if isinstance(value, Mapping) else [(prefix + name, value)]
        )
    return leaves
