"""Run the steps of a benchmark with snakemake, on this machine or as its profile states."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from nnunetv2_adamss.benchmark.records import read_record, record_file
from nnunetv2_adamss.benchmark.steps import Step, needed_steps
from nnunetv2_adamss.benchmark.workflow import log_of, workflow_folder, write_workflow
from nnunetv2_adamss.common.file_locks import lock_file
from nnunetv2_adamss.common.processes import end_watched, start_watched

_SHOWN_LINES = 15
_STDERR = 2
# Time to cancel a cluster's jobs.
_SECONDS_TO_STOP = 30
# A shell starts its background jobs with interrupts ignored, and what they start inherits that.
_SNAKEMAKE = (
    "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "runpy.run_module('snakemake', run_name='__main__')"
)


class Failure(NamedTuple):
    """A step that did not succeed.

    Args:
        step: its name.
        log: of its command.
        reason: in words.
        last_lines: of the log.
    """

    step: str
    log: Path
    reason: str
    last_lines: Sequence[str]


def check_snakemake() -> None:
    """Raise ValueError if snakemake is not installed."""
    if find_spec("snakemake") is None:
        raise ValueError(
            "snakemake, which runs the steps of a benchmark, is not installed: "
            'pip install "nnunetv2-adamss[benchmark]".'
        )


def run_steps(
    steps: Sequence[Step],
    output: Path,
    *,
    n_workers: int | None = None,
    gpus: Sequence[str] = (),
    profile: str | None = None,
) -> tuple[list[Failure], dict[str, str]]:
    """Do all steps that are not done yet and can be done.

    If this process is interrupted, the commands that it runs end too.

    Args:
        steps: each after those that it needs.
        output: folder of the benchmark.
        n_workers: steps in parallel; default the profile's.
        gpus: CUDA devices, one for each worker's commands; default all that this process sees.
        profile: snakemake's, such as one for a cluster.

    Returns:
        Steps that failed, and by name those that could not be done, with the name of the failed one that they need.

    Raises:
        ValueError: if the steps are being done already, or snakemake cannot begin.
    """
    with _only_process(output):
        left = [step for step in needed_steps(steps) if not step.is_done]
        run = write_workflow(steps, output, gpus)
        exit_code = _snakemake(
            output, "--profile", profile or "none", *(["--jobs", str(n_workers)] if n_workers else [])
        )
    records = {step.name: read_record(record_file(output, step.file_name)) for step in left}
    begun = {name: record for name, record in records.items() if record.get("run") == run}
    if exit_code and not begun:
        raise ValueError(
            f"snakemake ended with exit code {exit_code} before the first step; it says why above."
        )
    return _failures(left, begun, output)


@contextmanager
def _only_process(output: Path) -> Iterator[None]:
    """Keep other processes from doing steps of the benchmark, and remove the locks that a killed one left."""
    folder = workflow_folder(output)
    folder.mkdir(parents=True, exist_ok=True)
    # A call that was killed has left it.
    file, locks = folder / "adamss_benchmark.lock", folder / ".snakemake" / "locks"
    file.touch()
    try:
        lock = lock_file(file, wait=False)
    except BlockingIOError as error:
        raise ValueError(
            f"Another adamss_benchmark works in {output}; wait until it has ended, or stop it. One call does several "
            "steps in parallel with -np, --gpus or --profile."
        ) from error
    try:
        if any(locks.glob("*")) and not file.read_text():
            raise ValueError(
                f"snakemake works in {folder}; wait until it has ended. If none does, as after a power cut: "
                f"cd {shlex.quote(str(folder))} && snakemake --unlock"
            )
        shutil.rmtree(locks, ignore_errors=True)
        file.write_text("begun")
        yield
    finally:
        if not any(locks.glob("*")):
            file.write_text("")
        os.close(lock)


def _snakemake(output: Path, *options: str) -> int:
    """Run the workflow and return the exit code."""
    folder = workflow_folder(output)
    # It stays in the caller's directory, where a profile may lie.
    where = ["--snakefile", str(folder / "Snakefile"), "--directory", str(folder)]
    process = start_watched([sys.executable, "-c", _SNAKEMAKE, *where, *options], stdout=_STDERR)
    try:
        return process.wait()
    except BaseException:
        os.killpg(process.pid, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=_SECONDS_TO_STOP)
        raise
    finally:
        end_watched(process)


def _failures(
    steps: Sequence[Step], begun: Mapping[str, Mapping[str, Any]], output: Path
) -> tuple[list[Failure], dict[str, str]]:
    """Return the failed and the skipped ones of the steps that were to be done."""
    failures: list[Failure] = []
    skipped: dict[str, str] = {}
    for step in steps:
        record = begun.get(step.name)
        if step.is_done if record is None else record["exit_code"] == 0:
            continue
        # The first of the needed steps without a result to start from.
        failed = [one for one in step.made_from if not one.is_there or one.is_outdated]
        if record is None and failed:
            skipped[step.name] = skipped.get(failed[0].name, failed[0].name)
            continue
        reason = "it did not start; the output of snakemake says why"
        if record is not None:
            reason = record.get("reason") or "it was ended before it was done"
        lines: list[str] = []
        with suppress(OSError):
            lines = log_of(output, step).read_text(encoding="utf-8", errors="replace").splitlines()
        failures.append(Failure(step.name, log_of(output, step), reason, lines[-_SHOWN_LINES:]))
    return failures, skipped
