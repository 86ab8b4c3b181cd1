"""Do one step of a benchmark: a job of its workflow runs this file with the list of steps and the name of one.

Its exit code shows if the steps that come after it can be done.
"""

import hashlib
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir
from time import sleep
from typing import Any

from nnunetv2_adamss.common.file_locks import lock_file
from nnunetv2_adamss.common.files import read_json, write_json
from nnunetv2_adamss.common.processes import end_watched, start_watched
from nnunetv2_adamss.trained_folds.fold_files import latest_checkpoint

_POLL_SECONDS = 1.0


def main(steps_file: Path, name: str) -> int:
    """Do a step and return the exit code.

    Args:
        steps_file: the workflow's list of steps.
        name: of the step's files.
    """
    plan = read_json(steps_file)
    step = plan["steps"][name]
    os.chdir(plan["folder"])
    evidence, record = list(map(Path, step["evidence"])), Path(step["record"])
    with _locked([steps_file.parent / "running" / name]):  # what is left of an earlier run may still be at it
        missing = [need for need in step["needs"] if _missing(plan["steps"][need]["evidence"])]
        if missing:
            return 1
        # Trainings are never repeated, whatever the reason why this one was requested.
        if not (step["resumes"] and all(file.is_file() for file in evidence)):
            before = _times(evidence)
            write_json(record, {"run": plan["run"], "exit_code": None}, indent=None)
            exit_code, reason = _run(plan, step, steps_file)
            write_json(record, {"run": plan["run"], "exit_code": exit_code, "reason": reason}, indent=None)
            # A result counts despite errors in single patients; the next run tries these again.
            counts = not _missing(evidence) and not (step["is_outdated"] and _times(evidence) == before)
            if exit_code and not counts and not step["is_optional"]:
                return 1
        (steps_file.parent / "done" / name).touch()
    return 0


def _run(plan: Mapping[str, Any], step: Mapping[str, Any], steps_file: Path) -> tuple[int, str]:
    """Run the step's command; return its exit code and why it failed."""
    resumes = step["resumes"] and latest_checkpoint(Path(step["evidence"][0]).parent) is not None
    command = [*step["command"], *(["--c"] if resumes else [])]
    for folder in step["environment"].values():
        Path(folder).mkdir(parents=True, exist_ok=True)
    gpus = plan["gpus"] if "cuda" in command else []
    with open(step["log"], "a", encoding="utf-8") as log, _one_of(gpus, steps_file) as gpu:
        log.write(f"$ {shlex.join(command)}\n")
        log.flush()
        variables = {"PYTHONUNBUFFERED": "1", **plan["environment"], **step["environment"], **gpu}
        process = start_watched(command, stdout=log, stderr=subprocess.STDOUT, env=os.environ | variables)
        try:
            exit_code = process.wait()
        finally:
            # If it was killed, its children still run; the step must not be tried again before they have ended.
            end_watched(process)
    missing = _missing(step["evidence"])
    if exit_code == 0 and missing:
        return 1, f"it ended without an error, but did not write {', '.join(missing)}"
    return exit_code, f"it ended with exit code {exit_code}" if exit_code else ""


@contextmanager
def _one_of(gpus: Sequence[str], steps_file: Path) -> Iterator[dict[str, str]]:
    """Reserve one of the shared GPUs for the step; yield the environment variable that selects it."""
    if not gpus:
        yield {}
        return
    benchmark = hashlib.sha256(os.fsencode(steps_file)).hexdigest()[:16]
    # Of this machine, like the GPUs.
    files = [Path(gettempdir(), f"adamss_benchmark_{benchmark}_gpu_{gpu}") for gpu in gpus]
    with _locked(files) as place:
        yield {"CUDA_VISIBLE_DEVICES": gpus[place]}


@contextmanager
def _locked(files: Sequence[Path]) -> Iterator[int]:
    """Wait for the lock of any of these files; yield the index of the one that was free."""
    for file in files:
        file.touch()
    place = 0
    while True:
        try:
            lock = lock_file(files[place], wait=False)
            break
        except BlockingIOError:
            place = (place + 1) % len(files)
            sleep(0 if place else _POLL_SECONDS)
    try:
        yield place
    finally:
        os.close(lock)


def _missing(files: Sequence[str] | Sequence[Path]) -> list[str]:
    return [str(file) for file in files if not Path(file).is_file()]


def _times(files: Sequence[Path]) -> list[int]:
    return [file.stat().st_mtime_ns for file in files if file.is_file()]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
