"""Do the steps of a benchmark: several at once, after a kill, and together with other processes."""

import logging
import os
import shlex
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep

from nnunetv2_adamss.benchmark.claims import HEARTBEAT_SECONDS, Claim, Claims
from nnunetv2_adamss.benchmark.durations import duration_text
from nnunetv2_adamss.benchmark.records import RECORDS, Record, Records
from nnunetv2_adamss.benchmark.steps import Step
from nnunetv2_adamss.common.processes import end_watched, start_watched

logger = logging.getLogger(__name__)

CLAIMS, LOGS = "claims", "logs"
_SHOWN_LINES = 15
_POLL_SECONDS = 0.2
# Between two looks at what other processes have done meanwhile.
_LOOK_SECONDS = 2.0


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
        failures: steps that failed, here or in another process meanwhile.
        skipped: names of steps that could not be done, with that of the failed one that they need.
    """

    failures: list[Failure] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)


def run_steps(
    steps: Sequence[Step],
    output: Path,
    *,
    n_workers: int = 1,
    gpus: Sequence[str] = (),
    waits: bool = True,
    on_change: Callable[[int, Sequence[str]], object] = lambda n_done, names: None,
    tell: Callable[[str], object] = lambda line: None,
) -> Outcome:
    """Do what is not done yet, as far as it can be done.

    Steps that another process has claimed are left to it. If this process is interrupted, the commands that it runs
    end too.

    Args:
        steps: each after those that it needs.
        output: folder of the benchmark.
        n_workers: steps at once.
        gpus: what each worker's commands see of CUDA devices, one a worker; default what this process sees.
        waits: for other processes where there is nothing to do here, but steps are left.
        on_change: called with the number of steps that are done, and the names of those that run here.
        tell: called with a line when a step begins or ends here.
    """
    run = _Run(steps, output, n_workers, gpus, on_change=on_change, tell=tell)
    return run.to_the_end(waits=waits)


@dataclass
class _Running:
    """A step that runs here."""

    step: Step
    claim: Claim
    process: "subprocess.Popen[bytes]"
    worker: int
    resumed: bool
    start: float
    last_heartbeat: float

    def stop(self) -> None:
        """End the command and everything that it started, such as what loads the data of a training."""
        end_watched(self.process)


class _Run:
    """The state of one call of ``run_steps``."""

    def __init__(
        self,
        steps: Sequence[Step],
        output: Path,
        n_workers: int,
        gpus: Sequence[str],
        *,
        on_change: Callable[[int, Sequence[str]], object],
        tell: Callable[[str], object],
    ) -> None:
        self.steps = steps
        self.logs = output / LOGS
        self.claims = Claims(output / CLAIMS)
        self.records = Records(output / RECORDS)
        self.gpus = gpus
        self.on_change = on_change
        self.tell = tell
        self.idle_workers = list(range(n_workers))
        self.running: list[_Running] = []
        self.done: set[str] = set()
        self.outcome = Outcome()
        self.begin = self.claims.now()

    def to_the_end(self, *, waits: bool) -> Outcome:
        """Until nothing is left to do, or without ``waits`` nothing to do here."""
        last_look = -_LOOK_SECONDS
        try:
            while self._left():
                if self._collect() or monotonic() - last_look > _LOOK_SECONDS:
                    self._look()
                    self._start()
                    self.on_change(len(self.done), [one.step.name for one in self.running])
                    last_look = monotonic()
                    if not (self.running or waits):
                        break
                if self._left():
                    sleep(_POLL_SECONDS)
        finally:
            for one in self.running:
                one.stop()
                one.claim.release()
        return self.outcome

    # ----------------------------------------------------------------------------------- what is still to do

    def _left(self) -> list[Step]:
        """Neither done nor given up."""
        given_up = {failure.step for failure in self.outcome.failures} | set(self.outcome.skipped)
        return [step for step in self.steps if step.name not in self.done | given_up]

    def _look(self) -> None:
        """See what has become of the steps that do not run here."""
        here = {one.step.name for one in self.running}
        for step in self._left():
            if step.name in here:
                continue
            given_up = [need for need in step.needs if need not in self.done and self._is_given_up(need)]
            failed = given_up[0] if given_up else None
            if self.claims.is_taken(step.file_name):
                continue
            if step.is_done:
                self.done.add(step.name)
            elif failed is not None:
                self.outcome.skipped[step.name] = self.outcome.skipped.get(failed, failed)
                if step.is_outdated:  # or the tables would show it
                    step.discard_result()
            elif self.records.has_failed_since(step, self.begin):
                self._give_up(step, "it failed in another process of this benchmark")
                self._count_what_is_there(step)

    def _count_what_is_there(self, step: Step) -> None:
        """After a failure for single patients, perhaps; what goes on with it says what it misses."""
        if step.is_there and not step.is_outdated:
            self.done.add(step.name)

    def _is_given_up(self, name: str) -> bool:
        return name in self.outcome.skipped or any(name == one.step for one in self.outcome.failures)

    # ---------------------------------------------------------------------------------------- doing a step

    def _start(self) -> None:
        for step in self._ready():
            if not self.idle_workers:
                return
            claim = self.claims.take(step.file_name)
            if claim is None:
                continue
            # Another process may have ended it between the last look and the claim.
            if step.is_done or self.records.has_failed_since(step, self.begin):
                claim.release()
                continue
            self.running.append(self._run(step, claim, self.idle_workers.pop(0)))

    def _ready(self) -> Iterator[Step]:
        here = {one.step.name for one in self.running}
        # What only finished results needed is not among the steps, though one may turn out to be outdated meanwhile.
        needed = {step.name for step in self.steps} - self.done
        left = {step.name for step in self._left()}
        return (
            step
            for step in self._left()
            if step.name not in here and needed.isdisjoint(step.needs) and left.isdisjoint(step.after)
        )

    def _run(self, step: Step, claim: Claim, worker: int) -> _Running:
        command, resumed = step.command_now(), step.goes_on
        if not step.has_failed_in_part():  # what it left counts if no more can be made
            step.discard_result()
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", **step.environment}
        if self.gpus:
            environment["CUDA_VISIBLE_DEVICES"] = self.gpus[worker]
        for name in step.environment:
            Path(step.environment[name]).mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(parents=True, exist_ok=True)
        with self._log(step).open("ab") as log:
            log.write(f"$ {shlex.join(command)}\n".encode())
            log.flush()
            process = start_watched(command, stdout=log, stderr=subprocess.STDOUT, env=environment)
        self.tell(f"{step.name} {'goes on' if resumed else 'begins'}; its log is {self._log(step)}")
        start = monotonic()
        return _Running(step, claim, process, worker, resumed, start, start)

    def _collect(self) -> bool:
        """End the steps whose commands have ended; whether there were any."""
        n_running = len(self.running)
        for one in list(self.running):
            exit_code = one.process.poll()
            if exit_code is not None:
                self._end(one, exit_code)
            elif monotonic() - one.last_heartbeat > HEARTBEAT_SECONDS:
                one.last_heartbeat = monotonic()
                if not one.claim.renew():
                    logger.warning(
                        "%s was taken over by another process, since this one slept.", one.step.name
                    )
                    self._forget(one)
        return len(self.running) < n_running

    def _end(self, one: _Running, exit_code: int) -> None:
        step = one.step
        # If it was killed, its children are still there; nobody may take the step over before they are gone.
        self._forget(one)
        missing = [str(file) for file in step.evidence if not file.is_file()]
        if exit_code == 0 and missing:
            exit_code = 1
            reason = f"it ended without an error, but there is no {', no '.join(missing)}"
        else:
            reason = f"it ended with exit code {exit_code}"
        seconds = monotonic() - one.start
        self.records.write(step, Record(step.kind, seconds, exit_code, one.resumed))
        one.claim.release()
        if exit_code == 0:
            self.done.add(step.name)
            self.tell(f"{step.name} is done after {duration_text(seconds)}")
        else:
            self._give_up(step, reason)
            self._count_what_is_there(step)
            self.tell(f"{step.name} has failed: {reason}")

    def _forget(self, one: _Running) -> None:
        self.running.remove(one)
        self.idle_workers.append(one.worker)
        one.stop()

    def _give_up(self, step: Step, reason: str) -> None:
        lines: list[str] = []
        with suppress(OSError):
            lines = self._log(step).read_text(encoding="utf-8", errors="replace").splitlines()
        self.outcome.failures.append(
            Failure(step.name, self._log(step), reason, tuple(lines[-_SHOWN_LINES:]))
        )

    def _log(self, step: Step) -> Path:
        return self.logs / f"{step.file_name}.log"
