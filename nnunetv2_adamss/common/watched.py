"""Run a command that must not outlive the process that started it: both end with standard input.

It is a script of its own, since even a process that is killed closes the pipe to it. The command stays in the group of
this process, so that the process that started this one can end both.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable

# Option of Linux's prctl(2): the signal that a process gets when its parent ends.
_PR_SET_PDEATHSIG = 1


def main() -> int:
    """Run the command line after this file's name; returns its exit code."""
    command = subprocess.Popen(
        sys.argv[1:],
        stdin=subprocess.DEVNULL,
        preexec_fn=_dies_with_its_parent(os.getpid()),  # noqa: PLW1509  there is no other thread yet
    )
    # The process that interrupts the group ends it afterwards; until then the command may handle the interrupt.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_standard_input, daemon=True).start()
    exit_code = command.wait()
    return exit_code if exit_code >= 0 else 128 - exit_code


def _dies_with_its_parent(parent: int) -> Callable[[], None] | None:
    """Function that a command runs before it begins, so that it ends even if only this process is killed."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl

    def request_signal() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # the parent was killed before the signal was requested
            os._exit(1)

    return request_signal


def _end_with_standard_input() -> None:
    os.read(0, 1)  # unbuffered: a buffer's lock would keep Python from ending
    # Including its worker processes, which would wait for ever. Trainings write whole checkpoints or none.
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
