"""Have snakemake do the steps of a benchmark, here or wherever its profile says."""

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from nnunetv2_adamss.benchmark.records import Record, read_record
from nnunetv2_adamss.benchmark.steps import Step, needed_steps
from nnunetv2_adamss.benchmark.workflow import Workflow
from nnunetv2_adamss.common.file_locks import lock_file
from nnunetv2_adamss.common.processes import end_watched, start_watched

_SHOWN_LINES = 15
_STDERR = 2
# A shell starts its background jobs with interrupts ignored, and what they start inherits that.
_SNAKEMAKE = (
    "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "runpy.run_module('snakemake', run_name='__main__')"
)
# For a cluster's jobs to be cancelled.
_SECONDS_TO_STOP = 30


@dataclass(frozen=True)
class Failure:
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
    last_lines: tuple[str, ...]


@dataclass
class Outcome:
    """What became of the steps.

    Args:
        failures: steps that failed.
        skipped: names of steps that could not be done, with that of the failed one that they need.
    """

    failures: list[Failure] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)


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
) -> Outcome:
    """Do what is not done yet, as far as it can be done.

    If this process is interrupted, the commands that it runs end too.

    Args:
        steps: each after those that it needs.
        output: folder of the benchmark.
        n_workers: steps at once; default the profile's.
        gpus: what each worker's commands see of CUDA devices, one a worker; default what this process sees.
        profile: of snakemake, such as a cluster's.

    Raises:
        ValueError: if the steps are being done already, or snakemake cannot begin.
    """
    workflow = Workflow(output)
    with _alone(workflow):
        left = [step for step in needed_steps(steps) if not step.is_done]
        run = workflow.write(steps, gpus)
        options = ["--profile", profile or "none", *(["--jobs", str(n_workers)] if n_workers else [])]
        exit_code = _snakemake(workflow, *options)
    records = {step.name: read_record(output, step.file_name) for step in left}
    of_run = {name: record for name, record in records.items() if record is not None and record.run == run}
    if exit_code and not of_run:
        raise ValueError(
            f"snakemake ended with exit code {exit_code} before the first step; it says why above."
        )
    return _outcome(left, workflow, of_run)


@contextmanager
def _alone(workflow: Workflow) -> Iterator[None]:
    """Let no other process do steps of the benchmark; what a killed one has left locked is unlocked."""
    workflow.folder.mkdir(parents=True, exist_ok=True)
    file = workflow.folder / "adamss_benchmark.lock"
    file.touch()
    try:
        lock = lock_file(file, wait=False)
    except BlockingIOError as error:
        raise ValueError(
            f"Another adamss_benchmark works in {workflow.output}; wait until it has ended, or stop it. One call does "
            "several steps at once with --num_workers, --gpus or --profile."
        ) from error
    try:
        if _is_locked_by_snakemake(workflow):
            # Written to as long as a call has not ended by itself.
            if not file.read_text():
                raise ValueError(
                    f"snakemake works in {workflow.folder}; wait until it has ended. If it has not been called there, "
                    f"or was killed: snakemake -s {shlex.quote(str(workflow.snakefile))} --unlock"
                )
            _snakemake(workflow, "--unlock", "--quiet", "all", "--cores", "1")
        file.write_text("begun")
        yield
    finally:
        if not _is_locked_by_snakemake(workflow):
            file.write_text("")
        os.close(lock)


def _is_locked_by_snakemake(workflow: Workflow) -> bool:
    return any((workflow.folder / ".snakemake" / "locks").glob("*"))


def _snakemake(workflow: Workflow, *options: str) -> int:
    """Run the workflow; the exit code."""
    command = [sys.executable, "-c", _SNAKEMAKE, "-s", str(workflow.snakefile), *options]
    # The caller's directory is not left before, and a profile may lie there.
    command += ["--directory", str(workflow.folder)]
    process = start_watched(command, stdout=_STDERR)
    try:
        return process.wait()
    except BaseException:
        os.killpg(process.pid, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=_SECONDS_TO_STOP)
        raise
    finally:
        end_watched(process)


def _outcome(steps: Sequence[Step], workflow: Workflow, records: Mapping[str, Record]) -> Outcome:
    """The end of the steps that were to be done, of which those with a record were begun."""
    outcome = Outcome()
    given_up: dict[str, str] = {}
    for step in steps:
        record = records.get(step.name)
        needed = next((given_up[name] for name in step.needs if name in given_up), None)
        if record is not None and record.exit_code != 0:
            reason = record.reason or "it was ended before it was done"
        elif workflow.done(step).exists():
            continue
        elif needed is not None:
            given_up[step.name] = outcome.skipped[step.name] = needed
            continue
        else:
            reason = "it was not begun; snakemake says why"
        outcome.failures.append(
            Failure(step.name, workflow.log(step), reason, _last_lines(workflow.log(step)))
        )
        if not step.is_there or step.is_outdated:
            given_up[step.name] = step.name
    return outcome


def _last_lines(log: Path) -> tuple[str, ...]:
    with suppress(OSError):
        return tuple(log.read_text(encoding="utf-8", errors="replace").splitlines()[-_SHOWN_LINES:])
    return ()
