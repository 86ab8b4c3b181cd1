"""Write a phantom cohort as an nnU-Net raw data set, all of it or nothing."""

from __future__ import annotations

import logging
import math
import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import pandas as pd

from nnunetv2_adamss.common.files import write_atomically, write_json
from nnunetv2_adamss.common.processes import end_with
from nnunetv2_adamss.common.tables.csv_text import csv_text
from nnunetv2_adamss.datasets.phantom.phantom_cohort import TRAINING, PhantomCohort, draw_cohorts, image_seed
from nnunetv2_adamss.datasets.phantom.phantom_config import PhantomCohortConfig
from nnunetv2_adamss.datasets.phantom.phantom_grid import LPS_SIGNS_XYZ, RAS_SIGNS_XYZ, Grid
from nnunetv2_adamss.datasets.phantom.phantom_images import LABELS, Patient
from nnunetv2_adamss.datasets.phantom.scanner import Scanner, scan_ct, scan_pet, scanner_of_centre
from nnunetv2_adamss.datasets.phantom.signals import IMAGE_SIGNALS, SIGNALS

logger = logging.getLogger(__name__)

# Only folders with this file may be overwritten: it marks a data set as ours to delete.
MARKER = "phantom.json"
_FOLDERS = {TRAINING: ("imagesTr", "labelsTr"), "test": ("imagesTs", "labelsTs")}
_SURVIVAL_CSV = {TRAINING: "survival.csv", "test": "survival_test.csv"}
_DESCRIPTION = (
    "SYNTHETIC head-and-neck-like PET/CT with simulated survival. No patient data. For testing software "
    "only: results on it do not apply to patients."
)


@dataclass(frozen=True)
class CaseJob:
    """Input of a process that writes one case; it does not depend on any other case."""

    case_id: str
    split: str
    index: int
    signals: dict[str, float]
    scanner: Scanner
    config: PhantomCohortConfig


def write_phantom_dataset(
    config: PhantomCohortConfig,
    raw_folder: str | Path,
    *,
    overwrite: bool = False,
    num_processes: int = 1,
    on_case_written: Callable[[str], object] | None = None,
) -> Path:
    """Write images, labels, tables and the truth under ``raw_folder / config.folder_name``.

    The data set is built in a hidden folder beside its place and renamed at the end, so an interrupted run
    leaves no incomplete data set and an existing one is replaced only by a complete one.

    Args:
        config: what to write.
        raw_folder: nnU-Net's raw folder; created if missing.
        overwrite: whether to replace a phantom of the same name.
        num_processes: the files are the same for any number.
        on_case_written: called with each ``case_id``, for progress.

    Returns:
        The folder of the data set.

    Raises:
        FileExistsError: if the folder exists and ``overwrite`` is off or it is not a phantom, or if another
            data set has the same id.
        ValueError: if ``num_processes`` is below 1.

    Examples:
        >>> import nnunetv2_adamss as adamss
        >>> config = adamss.PhantomCohortConfig(n_training=1, n_test=0, shape=(30, 30, 30), spacing_mm=(5, 5, 5))
        >>> folder = adamss.write_phantom_dataset(config, "nnUNet_raw")
        >>> sorted(path.name for path in (folder / "imagesTr").iterdir())
        ['phantom000_0000.nii.gz', 'phantom000_0001.nii.gz']
    """
    if num_processes < 1:
        raise ValueError(f"num_processes is {num_processes}, expected at least 1.")
    raw_folder = Path(raw_folder)
    target = raw_folder / config.folder_name
    _check_free(raw_folder, target, overwrite)
    with _replaced_when_whole(target) as folder:
        cohorts = draw_cohorts(config)
        volumes_ml = _write_images(folder, _jobs(config, cohorts), num_processes, on_case_written)
        _write_tables(folder, cohorts, volumes_ml)
        _write_descriptions(folder, config, cohorts)
    logger.info("Wrote %d cases to %s", config.n_training + config.n_test, target)
    return target


def _check_free(raw_folder: Path, target: Path, overwrite: bool) -> None:
    prefix = target.name.split("_")[0]
    others = sorted(p.name for p in raw_folder.glob(f"{prefix}_*") if p.name != target.name)
    if others:
        raise FileExistsError(
            f"The id of {target.name} is taken by {raw_folder / others[0]}; choose another."
        )
    if not target.exists():
        return
    if not overwrite:
        raise FileExistsError(f"{target} exists; choose another id or name, or ask to overwrite it.")
    if not (target / MARKER).is_file():
        raise FileExistsError(f"{target} has no {MARKER}, so it is not a phantom and is not overwritten.")


@contextmanager
def _replaced_when_whole(target: Path) -> Iterator[Path]:
    """Yield a hidden folder that becomes ``target`` if the block ends well, and is removed if not."""
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    new, old = scratch / "new", scratch / "old"
    new.mkdir()  # mkdtemp's own mode would keep other users out of the data set
    try:
        yield new
        if target.exists():
            target.rename(old)
        try:
            new.rename(target)
        except OSError:
            if old.exists():
                old.rename(target)
            raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _jobs(config: PhantomCohortConfig, cohorts: list[PhantomCohort]) -> list[CaseJob]:
    return [
        CaseJob(
            case_id=row["case_id"],
            split=cohort.split,
            index=index,
            signals={name: float(row[name]) for name in IMAGE_SIGNALS},
            scanner=scanner_of_centre(row["centre"], config.n_centres, config.scanner_shift),
            config=config,
        )
        for cohort in cohorts
        for index, row in enumerate(cohort.table.to_dict("records"))
    ]


def _write_images(
    folder: Path, jobs: list[CaseJob], num_processes: int, on_case_written: Callable[[str], object] | None
) -> dict[str, float]:
    """Write all images; return the realised tumour volume of each case in ml."""
    for name in {name for job in jobs for name in _FOLDERS[job.split]}:
        (folder / name).mkdir()
    if jobs[0].config.separate_grids:
        (folder / "native").mkdir()
    volumes_ml = {}
    for case_id, volume_ml in _run(folder, jobs, num_processes):
        volumes_ml[case_id] = volume_ml
        if on_case_written is not None:
            on_case_written(case_id)
    return volumes_ml


def _run(folder: Path, jobs: list[CaseJob], num_processes: int) -> Iterator[tuple[str, float]]:
    if num_processes == 1:
        yield from (write_case(job, folder) for job in jobs)
        return
    # spawn, as nnU-Net does: a forked process may inherit locked threads.
    with ProcessPoolExecutor(
        num_processes, multiprocessing.get_context("spawn"), initializer=end_with, initargs=(os.getpid(),)
    ) as pool:
        try:
            futures = [pool.submit(write_case, job, folder) for job in jobs]
            yield from (future.result() for future in as_completed(futures))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def write_case(job: CaseJob, folder: Path) -> tuple[str, float]:
    """Write the images of one case.

    Returns:
        The ``case_id`` and the realised tumour volume in ml.
    """
    body, *noise = image_seed(job.config, job.split, job.index).spawn(5)
    patient = Patient.draw(job.signals, body)
    grid = job.config.grid
    images, labels = (folder / name for name in _FOLDERS[job.split])
    ideal = patient.render(grid)
    ct = scan_ct(ideal.ct_hu, grid.spacing_mm, job.scanner, np.random.default_rng(noise[0]))
    pet = scan_pet(ideal.pet_suv, grid.spacing_mm, job.scanner, np.random.default_rng(noise[1]))
    grid.write(ct, images / f"{job.case_id}_0000.nii.gz")
    grid.write(pet, images / f"{job.case_id}_0001.nii.gz")
    grid.write(ideal.label, labels / f"{job.case_id}.nii.gz")
    if job.config.separate_grids:
        _write_native(patient, job, folder / "native", noise[2:])
    return job.case_id, float((ideal.label == LABELS["primary_tumour"]).sum() * grid.voxel_volume_ml)


def native_grids(grid: Grid) -> tuple[Grid, Grid]:
    """A finer grid for CT and a coarser one for PET, each with its own origin and orientation."""
    ct = grid.covering(2 / 3, margin_mm=8.0, offset_mm=(4.0, -2.0, 3.0), signs_xyz=RAS_SIGNS_XYZ)
    pet = grid.covering(1.2, margin_mm=8.0, offset_mm=(-3.0, 5.0, -4.0), signs_xyz=LPS_SIGNS_XYZ)
    return ct, pet


def _write_native(patient: Patient, job: CaseJob, folder: Path, noise: list[np.random.SeedSequence]) -> None:
    ct_grid, pet_grid = native_grids(job.config.grid)
    on_ct, on_pet = patient.render(ct_grid), patient.render(pet_grid)
    ct = scan_ct(on_ct.ct_hu, ct_grid.spacing_mm, job.scanner, np.random.default_rng(noise[0]))
    pet = scan_pet(on_pet.pet_suv, pet_grid.spacing_mm, job.scanner, np.random.default_rng(noise[1]))
    ct_grid.write(ct, folder / f"{job.case_id}__CT.nii.gz")
    pet_grid.write(pet, folder / f"{job.case_id}__PT.nii.gz")
    ct_grid.write(on_ct.label, folder / f"{job.case_id}.nii.gz")


def _write_tables(folder: Path, cohorts: list[PhantomCohort], volumes_ml: dict[str, float]) -> None:
    for cohort in cohorts:
        write_atomically(folder / _SURVIVAL_CSV[cohort.split], csv_text(cohort.survival_table(), index=False))
    truth = pd.concat([cohort.table.assign(split=cohort.split) for cohort in cohorts])
    truth["tumour_volume_ml"] = truth["case_id"].map(volumes_ml)
    columns = ["case_id", "split", *SIGNALS, "tumour_volume_ml", "true_risk", "uncensored_time"]
    write_atomically(folder / "phantom_truth.csv", csv_text(truth[columns], index=False, float_format="%.6g"))


def _write_descriptions(folder: Path, config: PhantomCohortConfig, cohorts: list[PhantomCohort]) -> None:
    dataset = {
        "channel_names": {"0": "CT", "1": "PET"},
        "labels": LABELS,
        "numTraining": config.n_training,
        "file_ending": ".nii.gz",
        "name": config.folder_name,
        "description": _DESCRIPTION,
    }
    survival = {
        "time_unit": "days",
        "endpoint": "simulated event (synthetic)",
        "columns": {"age": "number", "hpv": "category"},
        "group_column": "centre",
    }
    phantom = {
        "description": _DESCRIPTION,
        "config": asdict(config),
        "seed": config.seed,
        "package_version": _package_version(),
        "summary": {cohort.split: _summary(cohort) for cohort in cohorts},
    }
    for name, content in (("dataset.json", dataset), ("survival.json", survival), (MARKER, phantom)):
        write_json(folder / name, content)


def _summary(cohort: PhantomCohort) -> dict[str, float | None]:
    c_index = cohort.oracle_c_index
    return {
        "cases": len(cohort.table),
        "events": int(cohort.table["event"].sum()),
        "oracle_c_index": None if math.isnan(c_index) else c_index,
    }


def _package_version() -> str:
    try:
        return version("nnunetv2_adamss")
    except PackageNotFoundError:
        return "unknown"
