"""Write the tables of a benchmark, and read them again for the report."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nnunetv2_adamss.benchmark.tables_text import ResultTable
from nnunetv2_adamss.common.files import write_atomically, write_json
from nnunetv2_adamss.common.json_object import parse_object
from nnunetv2_adamss.common.kinds import holding, list_of
from nnunetv2_adamss.common.tables.csv_text import csv_text
from nnunetv2_adamss.display.blocks import Facts, Section, Table, Text
from nnunetv2_adamss.display.markdown import markdown
from nnunetv2_adamss.display.words import NONE, missing_values, percent, time

TABLES_MD, TABLES_JSON = "tables.md", "tables.json"
# Stands for a missing value, in tables.json only, which programs read.
_NONE_IN_FILE = "/"
_SHOWN = ("title", "header", "rows", "notes")
_IS_TABLE = holding(title=str, header=list_of(str), rows=list_of(list_of(str)), notes=list_of(str))
_TABLES = frozenset(f"table_{number}{part}" for number in (1, 2, 3, 4) for part in ("", "_test"))


def write_tables(
    folder: Path, tables: Sequence[ResultTable], notes: Sequence[str], provenance: Mapping[str, Any]
) -> list[Path]:
    """Write every table as CSV, and all of them as Markdown and JSON.

    Args:
        folder: of the benchmark; what an earlier run wrote is replaced.
        tables: in order.
        notes: on all tables.
        provenance: patients, settings and sources of the tables.

    Returns:
        The files.
    """
    for table in tables:
        write_atomically(folder / f"{table.name}.csv", csv_text(table.numbers, index=False))
    for name in _TABLES.difference(table.name for table in tables):
        (folder / f"{name}.csv").unlink(missing_ok=True)  # another process may do so too
    facts = Section("provenance", "Where it comes from", [Facts(provenance_facts(provenance))])
    shown = markdown("Comparison of methods", [*map(Text, notes), *tables, facts])
    write_atomically(folder / TABLES_MD, shown)
    content = {
        "tables": [
            {
                "title": one.caption,
                "header": one.header,
                "rows": [[cell.replace(NONE, _NONE_IN_FILE) for cell in row] for row in one.rows],
                "notes": one.notes,
                "name": one.name,
                # Through pandas, which writes missing values as null.
                "numbers": json.loads(one.numbers.to_json(orient="records", double_precision=15)),
            }
            for one in tables
        ],
        "notes": list(notes),
        "provenance": provenance,
    }
    write_json(folder / TABLES_JSON, content)
    return [*(folder / f"{table.name}.csv" for table in tables), folder / TABLES_MD, folder / TABLES_JSON]


def read_benchmark(folder: Path) -> tuple[list[Table], list[str], Mapping[str, Any]]:
    """Read tables, notes and provenance as they were written.

    Raises:
        ValueError: if there are none, or the file is damaged.
    """
    file = folder / TABLES_JSON
    if not file.is_file():
        raise ValueError(f"{file} does not exist; adamss_benchmark writes it.")
    return parse_object(file, _parse, "Run adamss_benchmark again.")


def _parse(content: Mapping[str, Any]) -> tuple[list[Table], list[str], Mapping[str, Any]]:
    tables, notes, provenance = content["tables"], content["notes"], content["provenance"]
    if not (list_of(_IS_TABLE)(tables) and list_of(str)(notes)):
        raise ValueError("its tables or notes are of another version")
    provenance_facts(provenance)
    return [_table(**{name: one[name] for name in _SHOWN}) for one in tables], notes, provenance


def _table(title: str, header: list[str], rows: list[list[str]], notes: list[str]) -> Table:
    shown = [[name, *(cell.replace(_NONE_IN_FILE, NONE) for cell in cells)] for name, *cells in rows]
    return Table(title, header, shown, notes)


def provenance_facts(provenance: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the provenance in words: names and values."""
    settings = provenance["settings"]
    facts = [
        (f"{name} patients", _patients(part)) for name, part in provenance["patients"].items()
    ]  # fmt: skip
    return [
        *facts,
        ("data set", f"{settings['dataset']}, {settings['configuration']}, {settings['plans']}"),
        ("folds", ", ".join(map(str, settings["folds"]))),
        ("seeds", ", ".join(map(str, settings["seeds"]))),
        ("schedule", "short, for a first look" if settings["short_schedule"] else "as published"),
        *([("epochs of survival trainings", str(settings["epochs"]))] if settings["epochs"] else []),
        *((name, str(value)) for name, value in settings["masks"].items()),
        ("split (SHA-256)", provenance["splits_sha256"]),
        *((f"{name} (SHA-256)", sha256) for name, sha256 in provenance["outcomes_sha256"].items()),
        ("versions", ", ".join(f"{name} {number}" for name, number in provenance["versions"].items())),
    ]


def _patients(facts: Mapping[str, Any]) -> str:
    return (
        f"{facts['n_patients']} with {facts['n_events']} events ({facts['endpoint'] or 'endpoint not named'}), "
        f"{percent(facts['censored_fraction'])} censored, median follow-up "
        f"{time(facts['median_follow_up'], facts['time_unit'])} (reverse Kaplan-Meier), "
        f"missing values: {missing_values(facts['missing_values'])}"
    )
