"""Convert a whole cohort into an nnU-Net raw data set: in parallel, resumable, whatever single patients are like."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

import SimpleITK as sitk
from joblib import Parallel, delayed
from joblib.externals.loky.process_executor import TerminatedWorkerError

from nnunetv2_adamss.datasets.conversion.cohort import Cohort
from nnunetv2_adamss.datasets.conversion.conversion_folder import LOG_FILE, UNFINISHED, is_conversion
from nnunetv2_adamss.datasets.conversion.conversion_log import cases_in, settings_in
from nnunetv2_adamss.datasets.conversion.data_set import check_table, write_descriptions
from nnunetv2_adamss.datasets.conversion.one_case import CaseSettings, case_files, convert_case
from nnunetv2_adamss.datasets.conversion.patients import PatientFiles
from nnunetv2_adamss.datasets.conversion.source_image import files_of
from nnunetv2_adamss.survival.files import write_atomically

logger = logging.getLogger(__name__)

_BEGUN = f"{UNFINISHED}/settings.json"
_DONE = f"{UNFINISHED}/cases"  # what the log will say of each patient
_TRIED = f"{UNFINISHED}/tried"  # an empty file for each patient of whom there may be images


@dataclass(frozen=True)
class ConversionReport:
    """What became of the patients.

    Args:
        folder: of the raw data set.
        log: what the log says of each converted patient, by ``case_id``.
        n_kept: how many of them an earlier run had converted.
        broken: what is wrong with the others, by name.
        warnings: what a user should know of the tables.
        counts: of patients, outcomes and events, for people.
    """

    folder: Path
    log: Mapping[str, Mapping[str, Any]]
    n_kept: int
    broken: Mapping[str, str]
    warnings: Sequence[str]
    counts: Mapping[str, int]


def convert_cohort(
    cohort: Cohort,
    settings: CaseSettings,
    folder: Path,
    *,
    suv_factors: Mapping[str, float] | None = None,
    num_processes: int = 1,
    overwrite: bool = False,
    on_case_done: Callable[[str], object] = lambda case_id: None,
) -> ConversionReport:
    """Convert every patient. A run that was killed goes on where it was.

    A patient that is there already is kept as long as its source files, the settings and the version are the same.

    Args:
        cohort: what to convert.
        settings: how.
        folder: ``nnUNet_raw/DatasetXXX_Name``.
        suv_factors: of patients whose PET is in Bq/ml.
        num_processes: patients at once; each needs the memory of one patient's images.
        overwrite: begin anew, whatever is there.
        on_case_done: is told each patient, in the order in which they are done.

    Raises:
        FileExistsError: if the folder is no conversion with these settings, or the id belongs to another data set.
        ValueError: if the survival table is not usable, or no patient can be converted.
    """
    check_table(cohort)
    _claim(folder, settings, overwrite)
    factors = suv_factors or {}
    known = _read_log(folder)
    write_atomically(folder / _BEGUN, json.dumps({"settings": asdict(settings)}))
    tasks = [
        delayed(_convert_and_log)(
            patient, settings, folder, factors.get(patient.case_id), known.get(patient.case_id)
        )
        for patient in cohort.patients
    ]
    log: dict[str, Mapping[str, Any]] = {}
    broken = dict(cohort.broken)
    n_kept = 0
    for case_id, entry, fault in _in_parallel(tasks, num_processes):
        if entry is None:
            broken[case_id] = fault
        else:
            log[case_id] = entry
            n_kept += entry == known.get(case_id)
        on_case_done(case_id)
    if not log:
        reasons = "; ".join(f"{case_id}: {fault}" for case_id, fault in sorted(broken.items())[:5])
        raise ValueError(f"No patient can be converted. {reasons}.")
    _remove_strays(folder, cohort, known, log)
    counts = write_descriptions(folder, cohort, set(log))
    _write_log(folder, cohort, settings, log, broken)
    logger.info("Converted %d patients to %s", len(log), folder)
    return ConversionReport(folder, log, n_kept, broken, cohort.warnings, counts)


def _claim(folder: Path, settings: CaseSettings, overwrite: bool) -> None:
    """Make the folder ours, or say why it cannot be."""
    others = sorted(
        path.name for path in folder.parent.glob(f"{folder.name.split('_')[0]}_*") if path != folder
    )
    if others:
        raise FileExistsError(
            f"The id of {folder.name} belongs to {folder.parent / others[0]}; choose another."
        )
    if folder.exists() and any(folder.iterdir()):
        if not is_conversion(folder):
            raise FileExistsError(
                f"{folder} exists and was not written by this command; choose another id or name."
            )
        if overwrite:
            shutil.rmtree(folder)
        elif _begun_with(folder) != settings:
            raise FileExistsError(
                f"{folder} was converted with other settings; choose another id, or replace it with --overwrite."
            )


def _begun_with(folder: Path) -> CaseSettings:
    is_unfinished = (folder / _BEGUN).is_file()
    return settings_in(folder / (_BEGUN if is_unfinished else LOG_FILE))


def _read_log(folder: Path) -> dict[str, Mapping[str, Any]]:
    """What earlier runs said of each patient."""
    log: dict[str, Mapping[str, Any]] = {}
    if (folder / LOG_FILE).is_file():
        log |= cases_in(folder / LOG_FILE)
    for file in (folder / _DONE).glob("*.json"):
        log[file.stem] = json.loads(file.read_text(encoding="utf-8"))
    return log


def _convert_and_log(
    patient: PatientFiles,
    settings: CaseSettings,
    folder: Path,
    suv_factor: float | None,
    known: Mapping[str, Any] | None,
) -> tuple[str, Mapping[str, Any] | None, str]:
    """The ``case_id``, what the log says, and what is wrong where it says nothing."""
    try:
        made_from = _made_from(patient, suv_factor)
        written = [folder / name for name in case_files(patient.case_id, patient.mask is not None)]
        if known and known["made_from"] == made_from and all(file.is_file() for file in written):
            return patient.case_id, known, ""
        write_atomically(folder / _TRIED / patient.case_id, "")
        start = perf_counter()
        with _one_thread():
            entry = convert_case(patient, settings, folder, suv_factor)
        entry |= {"made_from": made_from, "seconds": round(perf_counter() - start, 2)}
        write_atomically(folder / _DONE / f"{patient.case_id}.json", json.dumps(entry))
        return patient.case_id, entry, ""
    except ValueError as error:
        return patient.case_id, None, str(error)
    # Whatever one patient meets, from a full disk to a fault of a library, must not stop the others.
    except Exception as error:
        return patient.case_id, None, f"{type(error).__name__}: {error}"


def _made_from(patient: PatientFiles, suv_factor: float | None) -> dict[str, Any]:
    missing = [str(file) for file in patient.all if not file.is_file()]
    if missing:
        raise ValueError(f"there is no {', no '.join(missing)}")
    files = [file.resolve() for image in patient.all for file in files_of(image)]
    stamps = {str(file): [file.stat().st_size, file.stat().st_mtime_ns] for file in files}
    return {"files": stamps, "suv_factor": suv_factor, "version": version("nnunetv2-adamss")}


@contextmanager
def _one_thread() -> Iterator[None]:
    """SimpleITK with one thread, since the patients keep all cores busy."""
    n_threads = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(n_threads)


def _in_parallel(tasks: Sequence[Any], num_processes: int) -> Iterator[Any]:
    try:
        yield from Parallel(n_jobs=num_processes, return_as="generator_unordered")(tasks)
    except TerminatedWorkerError as error:
        raise ValueError(
            "A process was killed, most likely since the memory is full. The patients that are done are kept: run "
            "again with fewer processes (-np)."
        ) from error


def _remove_strays(folder: Path, cohort: Cohort, known: Iterable[str], converted: Collection[str]) -> None:
    """Remove images of patients that are gone, or broken now, or have a mask only now."""
    has_mask = {patient.case_id: patient.mask is not None for patient in cohort.patients}
    for case_id in {*known, *(file.name for file in (folder / _TRIED).glob("*"))}:
        wanted = case_files(case_id, has_mask[case_id]) if case_id in converted else []
        for name in {*case_files(case_id, True), *case_files(case_id, False)} - set(wanted):
            (folder / name).unlink(missing_ok=True)


def _write_log(
    folder: Path,
    cohort: Cohort,
    settings: CaseSettings,
    log: Mapping[str, Mapping[str, Any]],
    broken: Mapping[str, str],
) -> None:
    content = {
        "settings": asdict(settings),
        "versions": {name: version(name) for name in ("nnunetv2-adamss", "SimpleITK")},
        "warnings": list(cohort.warnings),
        "broken": dict(sorted(broken.items())),
        "cases": dict(sorted(log.items())),
    }
    write_atomically(folder / LOG_FILE, json.dumps(content, indent=1) + "\n")
    shutil.rmtree(folder / UNFINISHED)
