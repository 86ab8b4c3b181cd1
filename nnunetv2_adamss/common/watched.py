"""Run a command that must not outlive who started it: when standard input ends, so does the command.

A script of its own, since even a process that is killed, and can do nothing more, closes the pipe to it. The command
stays in this process's group, so that whoever started this process can end whatever is left of both.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable

# Of Linux's prctl(2): which signal a process gets when the one that started it ends.
_PR_SET_PDEATHSIG = 1


def main() -> int:
    """Run the command line after this file's name; returns its exit code."""
    command = subprocess.Popen(
        sys.argv[1:],
        stdin=subprocess.DEVNULL,
        preexec_fn=_dies_with_its_parent(os.getpid()),  # noqa: PLW1509  there is no other thread yet
    )
    # Whoever interrupts the group ends it afterwards; till then the command may do what it does when interrupted.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_standard_input, daemon=True).start()
    exit_code = command.wait()
    return exit_code if exit_code >= 0 else 128 - exit_code


def _dies_with_its_parent(parent: int) -> Callable[[], None] | None:
    """What a command does before it begins, so that it ends even where this process alone is killed."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl

    def ask_for_the_signal() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # which was killed before it was asked for
            os._exit(1)

    return ask_for_the_signal


def _end_with_standard_input() -> None:
    os.read(0, 1)  # unbuffered: a buffer's lock would keep Python from ending
    # With its worker processes, which would wait for ever. Trainings write whole checkpoints or none.
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
