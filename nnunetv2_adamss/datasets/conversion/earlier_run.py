"""Check the files of an earlier run in a data set's folder, and if another run may continue there."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.datasets.conversion.conversion_folder import (
    BEGUN,
    DONE,
    LOG_FILE,
    REPLACED,
    UNFINISHED,
    is_conversion,
)
from nnunetv2_adamss.datasets.conversion.conversion_log import (
    Source,
    cases_in,
    read_case,
    settings_in,
    source_in,
)
from nnunetv2_adamss.datasets.conversion.convert_patient import CaseSettings
from nnunetv2_adamss.datasets.conversion.source_cohort import Cohort
from nnunetv2_adamss.datasets.conversion.source_patients import number_of_patients

logger = logging.getLogger(__name__)


def check_folder(folder: Path) -> None:
    """Raise FileExistsError if a folder cannot become a converted data set.

    Raises:
        FileExistsError: if it is something else, or its id is another data set's.
    """
    same_id = folder.parent.glob(f"{folder.name.split('_')[0]}_*")
    others = sorted(path.name for path in same_id if path != folder)
    if others:
        raise FileExistsError(
            f"The id of {folder.name} belongs to {folder.parent / others[0]}; choose another."
        )
    if folder.exists() and any(folder.iterdir()) and not is_conversion(folder):
        raise FileExistsError(
            f"{folder} exists and was not written by this command; choose another id or name."
        )


def clear(folder: Path) -> None:
    """Remove what earlier runs wrote; the locks of this one stay."""
    for path in folder.iterdir():
        if path.name == UNFINISHED:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    for name in (DONE, REPLACED):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / BEGUN).unlink(missing_ok=True)


def earlier_patients(
    folder: Path, cohort: Cohort, settings: CaseSettings, source: Source | None
) -> dict[str, Mapping[str, Any]]:
    """Return the log entries of all patients that earlier runs converted.

    Args:
        folder: of the data set.
        cohort: to convert now.
        settings: of the conversion.
        source: of the cohort; None to skip its check.

    Raises:
        FileExistsError: if these patients were converted with other settings or from another source, or are gone from
            it.
    """
    known: dict[str, Mapping[str, Any]] = {}
    if (folder / LOG_FILE).is_file():
        known |= cases_in(folder / LOG_FILE)
    for file in (folder / DONE).glob("*.json"):
        entry = read_case(file)
        if entry is None:
            logger.warning("%s is damaged, so this patient is converted again.", file)
            known.setdefault(file.stem, {})
        else:
            known[file.stem] = entry
    if known:  # otherwise nothing is lost, whatever the settings were
        _check_heading(folder, settings, source)
        _check_no_patient_is_gone(folder, set(known), cohort)
    return known


def _check_heading(folder: Path, settings: CaseSettings, source: Source | None) -> None:
    log = folder / (BEGUN if (folder / BEGUN).is_file() else LOG_FILE)
    advice = "choose another id, or replace it with --overwrite."
    if settings_in(log) != settings:
        raise FileExistsError(f"{folder} was converted with other settings; {advice}")
    was = source_in(log)
    if was is None or source is None:
        return
    if (was.format, was.path) != (source.format, source.path):
        raise FileExistsError(
            f"{folder} was converted from {was.path} ({was.format}), not from {source.path} ({source.format}); {advice}"
        )


def _check_no_patient_is_gone(folder: Path, known: set[str], cohort: Cohort) -> None:
    gone = sorted(known - {patient.case_id for patient in cohort.patients})
    if not gone:
        return
    reasons = [f"{name} ({cohort.broken[name]})" if name in cohort.broken else name for name in gone]
    raise FileExistsError(
        f"{folder} holds {number_of_patients(len(gone))} that the source has no longer: {listed(reasons)}. Put them "
        "back, choose another id for the smaller cohort, or start over with --overwrite."
    )
