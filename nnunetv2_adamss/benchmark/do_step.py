"""Do one step of a benchmark: a job of its workflow is this file, a list of steps, and the name of one.

Its exit code says whether the steps that come after it can be done.
"""

import hashlib
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir
from time import sleep

from nnunetv2_adamss.benchmark.records import Record
from nnunetv2_adamss.benchmark.workflow import PlannedStep, Workflow, read_step
from nnunetv2_adamss.common.file_locks import lock_file
from nnunetv2_adamss.common.processes import end_watched, start_watched

_POLL_SECONDS = 1.0


def main(steps_file: Path, file_name: str) -> int:
    """Do a step; the exit code.

    Args:
        steps_file: the workflow's list of steps.
        file_name: of the step.
    """
    workflow, planned = Workflow(steps_file.parents[1]), read_step(steps_file, file_name)
    os.chdir(planned.folder)
    workflow.lock(planned.step).touch()
    lock = lock_file(
        workflow.lock(planned.step), wait=True
    )  # what is left of an earlier run may still be at it
    try:
        return _do(planned, workflow)
    finally:
        os.close(lock)


def _do(planned: PlannedStep, workflow: Workflow) -> int:
    step, file_name = planned.step, planned.step.file_name
    missing = [other.name for other in step.made_from if not other.is_there]
    if missing:
        _write_log(planned, workflow, f"It needs {', '.join(missing)}.")
        return 1
    # Trainings are not repeated, however it comes that this one is asked for.
    if not (step.resumes and step.is_there):
        Record(planned.run).write(workflow.output, file_name)
        record = _run(planned, workflow)
        record.write(workflow.output, file_name)
        # What an error for single patients has left counts, and the next run tries again.
        counts = step.is_there and not step.is_outdated
        if record.exit_code and not (counts or planned.is_waited_for):
            return 1
    workflow.done(step).touch()
    return 0


def _run(planned: PlannedStep, workflow: Workflow) -> Record:
    step, command = planned.step, planned.step.command_now()
    for folder in step.environment.values():
        Path(folder).mkdir(parents=True, exist_ok=True)
    _write_log(planned, workflow, f"$ {shlex.join(command)}")
    with _one_gpu(planned, workflow) as gpu, workflow.log(step).open("ab") as log:
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", **planned.environment, **gpu}
        process = start_watched(command, stdout=log, stderr=subprocess.STDOUT, env=environment)
        try:
            exit_code = process.wait()
        finally:
            # If it was killed, its children are still there; the step must not be tried again before they are gone.
            end_watched(process)
    missing = [str(file) for file in step.evidence if not file.is_file()]
    if exit_code == 0 and missing:
        return Record(planned.run, 1, f"it ended without an error, but there is no {', no '.join(missing)}")
    return Record(planned.run, exit_code, f"it ended with exit code {exit_code}" if exit_code else "")


@contextmanager
def _one_gpu(planned: PlannedStep, workflow: Workflow) -> Iterator[dict[str, str]]:
    """Let the step alone have one of the GPUs that all of them share; the variable that says so."""
    if not planned.gpus:
        yield {}
        return
    benchmark = hashlib.sha256(os.fsencode(workflow.output)).hexdigest()[:16]
    # Of this machine, like the GPUs.
    files = {gpu: Path(gettempdir(), f"adamss_benchmark_{benchmark}_gpu_{gpu}") for gpu in planned.gpus}
    while True:
        for gpu, file in files.items():
            file.touch()
            try:
                lock = lock_file(file, wait=False)
            except BlockingIOError:
                continue
            try:
                yield {"CUDA_VISIBLE_DEVICES": gpu}
            finally:
                os.close(lock)
            return
        sleep(_POLL_SECONDS)


def _write_log(planned: PlannedStep, workflow: Workflow, line: str) -> None:
    workflow.log(planned.step).parent.mkdir(parents=True, exist_ok=True)
    with workflow.log(planned.step).open("a", encoding="utf-8") as log:
        log.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
