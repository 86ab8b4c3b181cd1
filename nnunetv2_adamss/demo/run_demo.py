"""Run the demo's steps in order, each as a user would, and save the progress."""

import os
import shlex
import subprocess
from collections.abc import Callable, Mapping, Sequence
from time import monotonic

from nnunetv2_adamss.common.processes import end_watched, start_watched
from nnunetv2_adamss.common.quiet import is_quiet
from nnunetv2_adamss.demo.demo_progress import DemoProgress
from nnunetv2_adamss.demo.demo_steps import N_PROCESSES, DemoFolders, Step
from nnunetv2_adamss.demo.time_left import seconds_left
from nnunetv2_adamss.display.words import duration


class StepFailedError(Exception):
    """A step's command failed; its own message stands above."""


def run_steps(
    steps: Sequence[Step], folders: DemoFolders, progress: DemoProgress, say: Callable[[str], None]
) -> None:
    """Run the steps that are not done yet.

    Args:
        steps: in order.
        folders: of the demo.
        progress: changed and saved after every step.
        say: called with each step's title, the time left and the command.

    Raises:
        StepFailedError: if a command fails.
    """
    for number, step in enumerate(steps, start=1):
        is_done = step.title in progress.seconds
        note = "done before" if is_done else f"about {duration(seconds_left(steps, progress.seconds))} left"
        say(f"\n=== Step {number} of {len(steps)}: {step.title} ({note})\n$ {shlex.join(step.command)}\n")
        if is_done:
            continue
        start = monotonic()
        exit_code = run_command(step.command, folders.environment)
        if exit_code:
            raise StepFailedError(
                f"step {number} failed with exit code {exit_code}; its message stands above"
            )
        progress.seconds[step.title] = monotonic() - start
        progress.save(folders.root)


def run_command(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a console script of this Python's environment, with its output directly on the terminal.

    If the user wants results only, what it prints is left out, but not its errors: the results are the demo's own.
    If this process is interrupted or killed, the command ends together with its workers, which would wait for ever.
    """
    few_processes = {"nnUNet_def_n_proc": str(N_PROCESSES)}  # unless the user has set another number
    # Unbuffered, so that progress shows immediately, also if the output goes to a file.
    unbuffered = {"PYTHONUNBUFFERED": "1"}
    environment = {**few_processes, **os.environ, **unbuffered, **environment}
    stdout = subprocess.DEVNULL if is_quiet() else None
    with start_watched(command, env=environment, stdout=stdout) as process:
        try:
            return process.wait()
        except BaseException:
            end_watched(process)
            raise
