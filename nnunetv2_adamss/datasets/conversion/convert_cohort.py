"""Convert a whole cohort into an nnU-Net raw data set: in parallel, resumable, and not stopped by faulty patients."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

import SimpleITK as sitk
from joblib import delayed

from nnunetv2_adamss.common.files import write_json
from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.common.parallel import in_parallel, one_thread
from nnunetv2_adamss.datasets.conversion.conversion_folder import (
    BEGUN,
    DONE,
    LOG_FILE,
    REPLACED,
    UNFINISHED,
)
from nnunetv2_adamss.datasets.conversion.conversion_log import Source
from nnunetv2_adamss.datasets.conversion.convert_patient import CaseSettings, case_files, convert_case
from nnunetv2_adamss.datasets.conversion.data_set import check_table, write_descriptions
from nnunetv2_adamss.datasets.conversion.earlier_run import check_folder, clear, earlier_patients
from nnunetv2_adamss.datasets.conversion.scans import PatientSource
from nnunetv2_adamss.datasets.conversion.sole_run import sole_run, still_ours
from nnunetv2_adamss.datasets.conversion.source_cohort import Cohort

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ConversionReport:
    """Results of a conversion.

    Args:
        folder: of the raw data set.
        log: log entry of each converted patient, by ``case_id``.
        converted: patients that this run has converted; an earlier run converted the others.
        broken: faults of patients that could not be converted, by name.
        warnings: on the tables.
        counts: of patients, outcomes and events, with readable names.
    """

    folder: Path
    log: Mapping[str, Mapping[str, Any]]
    converted: Collection[str]
    broken: Mapping[str, str]
    warnings: Sequence[str]
    counts: Mapping[str, int]


@dataclass(frozen=True)
class _Run:
    """Everything that is the same for all patients."""

    name: str
    folder: Path
    settings: CaseSettings
    suv_factors: Mapping[str, float]


def convert_cohort(
    cohort: Cohort,
    settings: CaseSettings,
    folder: Path,
    *,
    source: Source | None = None,
    suv_factors: Mapping[str, float] | None = None,
    num_processes: int = 1,
    overwrite: bool = False,
    keep_if_faulty: bool = True,
    on_case_done: Callable[[str], object] = lambda case_id: None,
) -> ConversionReport:
    """Convert every patient, and continue a run that was killed.

    An earlier conversion of a patient is kept as long as source files, settings and version are the same.

    Args:
        cohort: what to convert.
        settings: of the conversion.
        folder: ``nnUNet_raw/DATASET``.
        source: where the cohort is from, for the log; another source is refused.
        suv_factors: of patients whose PET is in Bq/ml.
        num_processes: patients in parallel; each needs the memory of one patient's images.
        overwrite: remove earlier conversions first.
        keep_if_faulty: also keep an earlier conversion if the files have changed but cannot be converted.
        on_case_done: called with each patient when it is done.

    Raises:
        FileExistsError: if the folder is not a conversion of this source with these settings, patients in it are gone
            from the source, another run is writing there, or the id belongs to another data set.
        ValueError: if the survival table is not usable, or no patient can be converted.
    """
    check_table(cohort)
    check_folder(folder)
    with sole_run(folder) as run_name:
        if overwrite:
            clear(folder)
        known = earlier_patients(folder, cohort, settings, source)
        heading = {"settings": asdict(settings)} | ({"source": asdict(source)} if source else {})
        write_json(folder / BEGUN, {"run": run_name, **heading}, indent=None)
        run = _Run(run_name, folder, settings, suv_factors or {})
        log, faults = _convert_all(cohort, run, known, num_processes, on_case_done)
        converted = [case_id for case_id, entry in log.items() if entry != known.get(case_id)]
        failed = {case_id: known[case_id] for case_id in faults if keep_if_faulty and case_id in known}
        kept = _kept(folder, cohort, failed)
        log |= kept
        broken = {**cohort.broken, **_with_what_is_kept(faults, kept)}
        _remove_strays(folder, cohort, known, log)
        if not log:
            _leave(folder)
            reasons = listed([f"{case_id}: {fault}" for case_id, fault in sorted(broken.items())])
            raise ValueError(f"No patient can be converted. {reasons}.")
        counts = write_descriptions(folder, cohort, set(log))
        _write_log(folder, cohort, heading, log, broken)
        shutil.rmtree(folder / UNFINISHED, ignore_errors=True)
    logger.info("Converted %d patients to %s", len(log), folder)
    return ConversionReport(folder, log, converted, broken, cohort.warnings, counts)


def _convert_all(
    cohort: Cohort,
    run: _Run,
    known: Mapping[str, Mapping[str, Any]],
    num_processes: int,
    on_case_done: Callable[[str], object],
) -> tuple[dict[str, Mapping[str, Any]], dict[str, str]]:
    """Convert the patients; return the log entries, and the faults of patients without one."""
    tasks = [
        delayed(_convert_and_log)(patient, run, known.get(patient.case_id)) for patient in cohort.patients
    ]
    log: dict[str, Mapping[str, Any]] = {}
    faults: dict[str, str] = {}
    for case_id, entry, fault in in_parallel(tasks, num_processes):
        if entry is None:
            faults[case_id] = fault
        else:
            log[case_id] = entry
        on_case_done(case_id)
    return log, faults


def _leave(folder: Path) -> None:
    """Release an empty folder, so that the next run may have other settings."""
    (folder / BEGUN).unlink()
    for path in folder.iterdir():
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def _convert_and_log(
    patient: PatientSource, run: _Run, known: Mapping[str, Any] | None
) -> tuple[str, Mapping[str, Any] | None, str]:
    """Return the ``case_id``, the log entry, and the fault if there is no entry."""
    case_id, folder = patient.case_id, run.folder
    suv_factor = run.suv_factors.get(case_id)
    try:
        made_from = _made_from(patient, suv_factor)
        if known and known.get("made_from") == made_from and _is_there(folder, patient):
            return case_id, known, ""
        with still_ours(folder, run.name), one_thread(sitk.ProcessObject):
            start = perf_counter()
            entry = convert_case(patient, run.settings, folder, suv_factor)
            entry |= {"made_from": made_from, "seconds": round(perf_counter() - start, 2)}
            write_json(folder / DONE / f"{case_id}.json", entry, indent=None)
            (folder / REPLACED / case_id).unlink()
        return case_id, entry, ""
    except (ValueError, OSError) as error:
        return case_id, None, str(error)
    # No error of one patient, such as a fault of a library, may stop the others.
    except Exception as error:
        return case_id, None, f"{type(error).__name__}: {error}"


def _is_there(folder: Path, patient: PatientSource) -> bool:
    """Return True if all images are those of the log, not of a run that was killed or failed while it wrote."""
    names = case_files(patient.case_id, patient.has_mask)
    return all((folder / name).is_file() for name in names) and not _is_being_replaced(
        folder, patient.case_id
    )


def _is_being_replaced(folder: Path, case_id: str) -> bool:
    """Return True if images may be of two conversions, since the last one began to replace them and did not finish."""
    begun, done = folder / REPLACED / case_id, folder / DONE / f"{case_id}.json"
    if not begun.exists():
        return False
    return not done.exists() or done.stat().st_mtime_ns < begun.stat().st_mtime_ns


def _made_from(patient: PatientSource, suv_factor: float | None) -> dict[str, Any]:
    return {"files": patient.stamps(), "suv_factor": suv_factor, "version": version("nnunetv2-adamss")}


def _kept(
    folder: Path, cohort: Cohort, failed: Mapping[str, Mapping[str, Any]]
) -> dict[str, Mapping[str, Any]]:
    """Return the patients that an earlier run converted, this one cannot, and whose images are still complete."""
    patients = {patient.case_id: patient for patient in cohort.patients}
    return {
        case_id: entry for case_id, entry in failed.items() if entry and _is_there(folder, patients[case_id])
    }


def _with_what_is_kept(faults: Mapping[str, str], kept: Collection[str]) -> dict[str, str]:
    remark = "; the images of an earlier run are kept"
    return {case_id: fault + (remark if case_id in kept else "") for case_id, fault in faults.items()}


def _remove_strays(folder: Path, cohort: Cohort, known: Iterable[str], log: Collection[str]) -> None:
    """Remove incomplete images, and those from before a patient got or lost a mask."""
    has_mask = {patient.case_id: patient.has_mask for patient in cohort.patients}
    for case_id in {*known, *(file.name for file in (folder / REPLACED).glob("*"))}:
        wanted = case_files(case_id, has_mask[case_id]) if case_id in log else []
        for name in {*case_files(case_id, True), *case_files(case_id, False)} - set(wanted):
            (folder / name).unlink(missing_ok=True)


def _write_log(
    folder: Path,
    cohort: Cohort,
    heading: Mapping[str, Any],
    log: Mapping[str, Mapping[str, Any]],
    broken: Mapping[str, str],
) -> None:
    content = {
        **heading,
        "versions": {name: version(name) for name in ("nnunetv2-adamss", "SimpleITK")},
        "warnings": list(cohort.warnings),
        "broken": dict(sorted(broken.items())),
        "cases": dict(sorted(log.items())),
    }
    write_json(folder / LOG_FILE, content, indent=1)
