"""Parts of a measuring script: each ends when its time is over, and runs even if others fail."""

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import Any

from nnunetv2_adamss.common.processes import end_watched, start_watched

_POLL_S = 0.05
_LAST_CHARACTERS = 20_000

# Figures by name, of rows by name; a figure's name contains its unit.
Rows = dict[str, dict[str, Any]]


class LeftOut(Exception):  # noqa: N818  no error
    """A part is not measured; the message gives the reason."""


class OutOfTime(Exception):  # noqa: N818  no error
    """The time of a part is over."""


@dataclass(frozen=True)
class Commands:
    """Runs the commands of a part, each with its child processes, until the part's time is over.

    Args:
        log: file to which their output is appended.
        end: of the part, on the clock ``monotonic``.
    """

    log: Path
    end: float

    def run(self, *command: str, environment: Mapping[str, str] | None = None) -> None:
        """Run a command to its end.

        Args:
            command: a console script of this Python's environment, or any program, and its arguments.
            environment: variables beside those of this process.

        Raises:
            OutOfTime: when the part's time is over; the command is killed.
            RuntimeError: if the command fails, with its last line.
        """
        with self._started(command, environment) as process:
            while process.poll() is None:
                self._wait()
        if process.returncode:
            raise RuntimeError(f"{_words(command)} ended with {process.returncode}: {self._last_line()}")

    def kill(
        self, *command: str, when: Callable[[], bool], environment: Mapping[str, str] | None = None
    ) -> None:
        """Start a command and kill it with its child processes, by SIGKILL, when a condition is met.

        Raises:
            OutOfTime: when the part's time is over; the command is killed.
            RuntimeError: if the command ended earlier.
        """
        with self._started(command, environment) as process:
            while not when():
                if process.poll() is not None:
                    raise RuntimeError(f"{_words(command)} ended before it was killed: {self._last_line()}")
                self._wait()

    @contextmanager
    def _started(self, command: Sequence[str], environment: Mapping[str, str] | None):
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a") as log:
            variables = {**os.environ, **(environment or {})}
            process = start_watched(command, env=variables, stdout=log, stderr=subprocess.STDOUT)
            try:
                yield process
            finally:
                end_watched(process)

    def _wait(self) -> None:
        if monotonic() > self.end:
            raise OutOfTime
        sleep(_POLL_S)

    def _last_line(self) -> str:
        lines = self.log.read_text(errors="replace")[-_LAST_CHARACTERS:].splitlines()
        return next((line.strip() for line in reversed(lines) if line.strip()), "it printed nothing")


@dataclass(frozen=True)
class Part:
    """One part of the measurement.

    Args:
        name: in the table.
        limit_s: most seconds that it may take.
        measure: called with the part's commands and with rows, which it fills on the way, so that a part that is
            stopped leaves what it has measured.
    """

    name: str
    limit_s: float
    measure: Callable[[Commands, Rows], None]


@dataclass
class PartResult:
    """Result of a part.

    Args:
        state: ``done``, or the reason why not, in words.
        seconds: duration of the part.
        rows: its measured figures.
    """

    state: str = "done"
    seconds: float = 0.0
    rows: Rows = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """True if the part failed, and was not only left out or slow."""
        return self.state.startswith("failed")


def run_side_by_side(parts: Sequence[Part], logs: Path, end: float) -> dict[str, PartResult]:
    """Measure parts that may disturb each other, all at the same time.

    Args:
        parts: their names differ.
        logs: folder for the output of their commands.
        end: of all measuring, on the clock ``monotonic``.
    """
    results = {part.name: PartResult() for part in parts}
    # Daemons, so that Ctrl-C ends the script and all commands immediately.
    threads = [
        Thread(target=_run_part, args=(part, results[part.name], logs, end), daemon=True) for part in parts
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def _run_part(part: Part, result: PartResult, logs: Path, end: float) -> None:
    start = monotonic()
    commands = Commands(logs / f"{part.name.replace(' ', '_')}.log", min(end, start + part.limit_s))
    try:
        if start >= end:
            raise LeftOut("no time is left")
        part.measure(commands, result.rows)
    except LeftOut as reason:
        result.state = f"left out: {reason}"
    except OutOfTime:
        result.state = f"out of time after {monotonic() - start:.0f} s"
    # An unforeseen lack of a machine must not stop the other parts.
    except Exception as error:
        result.state = f"failed: {type(error).__name__}: {error}"
    result.seconds = monotonic() - start


def _words(command: Sequence[str]) -> str:
    return " ".join([Path(command[0]).name, *command[1:]])
