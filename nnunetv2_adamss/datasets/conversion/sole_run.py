"""Let one run at a time write to a data set, and none while processes of a killed run are still writing there."""

import logging
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nnunetv2_adamss.common.file_locks import lock_file
from nnunetv2_adamss.common.json_object import read_object
from nnunetv2_adamss.datasets.conversion.conversion_folder import BEGUN, UNFINISHED

logger = logging.getLogger(__name__)

_RUN = f"{UNFINISHED}/run.lock"  # held by the run
_PATIENTS = f"{UNFINISHED}/patients.lock"  # shared by its processes while they convert a patient


@contextmanager
def sole_run(folder: Path) -> Iterator[str]:
    """Keep other runs out of a data set. The system lifts the locks of a process that ends, however it ends.

    Args:
        folder: of the data set; made if need be, and removed again if the run did not begin.

    Yields:
        The run's name, for ``BEGUN`` and for ``still_ours``.

    Raises:
        FileExistsError: if another run is writing there.
    """
    (folder / UNFINISHED).mkdir(parents=True, exist_ok=True)
    (folder / _RUN).touch()
    try:
        run = lock_file(folder / _RUN, wait=False)
    except BlockingIOError as error:
        raise FileExistsError(
            f"Another run is writing to {folder}; wait until it is done, or stop it."
        ) from error
    try:
        _wait_for_patients(folder)
        yield uuid.uuid4().hex
    finally:
        if not (folder / BEGUN).exists():  # nothing was begun, or all is done
            shutil.rmtree(folder / UNFINISHED, ignore_errors=True)
            if not any(folder.iterdir()):
                folder.rmdir()
        os.close(run)


@contextmanager
def still_ours(folder: Path, run_name: str) -> Iterator[None]:
    """Let a process of a run convert a patient; no other run begins until it is done.

    Raises:
        ValueError: if another run has begun, so that this process is what is left of a killed one.
    """
    try:
        patient = lock_file(folder / _PATIENTS, wait=True, shared=True)
    except FileNotFoundError as error:
        raise ValueError("another run has finished here") from error
    try:
        if read_object(folder / BEGUN).get("run") != run_name:
            raise ValueError("another run writes here now")
        yield
    finally:
        os.close(patient)


def _wait_for_patients(folder: Path) -> None:
    (folder / _PATIENTS).touch()
    try:
        os.close(lock_file(folder / _PATIENTS, wait=False))
    except BlockingIOError:
        logger.warning(
            "Processes of a run that was killed are still writing to %s; waiting for them.", folder
        )
        os.close(lock_file(folder / _PATIENTS, wait=True))
