"""The tables and descriptions of a converted data set."""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from pathlib import Path

import pandas as pd

from nnunetv2_adamss.common.case_names import CASE_ID
from nnunetv2_adamss.common.files import write_atomically, write_json
from nnunetv2_adamss.common.tables.csv_text import csv_text
from nnunetv2_adamss.common.tables.faults import FileFaultsError
from nnunetv2_adamss.datasets.conversion.convert_patient import ENDING
from nnunetv2_adamss.datasets.conversion.source_cohort import Cohort
from nnunetv2_adamss.survival.cohort.description import (
    DESCRIPTION_FILE,
    EVENT,
    TIME,
    read_survival_description,
)
from nnunetv2_adamss.survival.cohort.outcomes_path import SURVIVAL_CSV
from nnunetv2_adamss.survival.cohort.table_faults import table_faults

TEST_CSV = "survival_test.csv"  # of the patients without masks, in imagesTs


def check_table(cohort: Cohort) -> None:
    """Check the survival table as training will, before hours are spent on images.

    Raises:
        ValueError: with every fault of the table, by patient; cohorts without an event pass, for Stage I or for tests.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / DESCRIPTION_FILE
        write_json(file, dict(cohort.description))
        description = read_survival_description(file)
    cells = cohort.table.set_index(CASE_ID, drop=False).rename_axis(None)
    faults = table_faults(cells, description, None, needs_events=False)
    if faults:
        # Cells are named by the index, here the patient.
        by_patient = [fault.replace(": row ", ": ").replace(", row ", ", ") for fault in faults]
        raise FileFaultsError(cohort.tables[0], by_patient)


def write_descriptions(folder: Path, cohort: Cohort, converted: Collection[str]) -> dict[str, int]:
    """Write ``dataset.json``, ``survival.csv`` and ``survival.json`` for the converted patients.

    Patients without a mask, whose images are in ``imagesTs``, have their rows in ``survival_test.csv``.

    Returns:
        Counts with readable names.
    """
    masked = {patient.case_id for patient in cohort.patients if patient.has_mask}
    rows = cohort.table[cohort.table[CASE_ID].isin(converted)]
    training, test = (rows[rows[CASE_ID].isin(masked) == has_mask] for has_mask in (True, False))
    for name in (SURVIVAL_CSV, DESCRIPTION_FILE, TEST_CSV):  # of an earlier run
        (folder / name).unlink(missing_ok=True)
    if (rows[TIME] != "").any():
        _write_tables(folder, cohort, training)
    if len(test):
        write_atomically(folder / TEST_CSV, csv_text(test, index=False))
    dataset_json = {
        "channel_names": {"0": "CT", "1": "PET"},
        "labels": dict(cohort.labels),
        "numTraining": len(training),
        "file_ending": ENDING,
        **cohort.origin,
    }
    write_json(folder / "dataset.json", dataset_json, indent=1)
    return {
        "patients": len(rows),
        "with a mask": len(training),
        "of them with an outcome": int((training[TIME] != "").sum()),
        "of them with an event": int(_is_event(training).sum()),
        "without an outcome": int((training[TIME] == "").sum()),
        "without a mask": len(test),
    }


def _is_event(rows: pd.DataFrame) -> pd.Series:
    return rows[EVENT] == "1"


def _write_tables(folder: Path, cohort: Cohort, rows: pd.DataFrame) -> None:
    write_atomically(folder / SURVIVAL_CSV, csv_text(rows, index=False))
    write_json(folder / DESCRIPTION_FILE, dict(cohort.description), indent=1)
