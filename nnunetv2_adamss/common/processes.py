"""Pools and commands that end with the process that started them, however that ends.

A pool's processes watch their parent themselves. A command is another program, so a script in between watches the
parent and ends the command and all that it started.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from time import sleep
from typing import Any

from nnunetv2_adamss.common import watched

# Folder of the commands of this Python's environment.
_SCRIPTS = Path(sys.executable).parent
_POLL_SECONDS = 0.5
_SECONDS_TO_END = 10


def end_with(parent_id: int) -> None:
    """Let this process end when the one that started it has ended; the ``initializer`` of a pool.

    Not by Linux's signal for it: that comes when the thread ends that started this process. On Windows a process
    cannot notice that its parent has ended.

    Args:
        parent_id: process ID of the parent, read in the parent.
    """
    threading.Thread(target=_end_after, args=(parent_id,), daemon=True).start()


def _end_after(parent_id: int) -> None:
    while os.getppid() == parent_id:
        sleep(_POLL_SECONDS)
    # Immediately: the process that waits for the task's result is gone.
    os._exit(1)


def program_of(name: str) -> str:
    """The path of a console script of this Python's environment, or the name of any other program."""
    return shutil.which(name, path=str(_SCRIPTS)) or name


def start_watched(command: Sequence[str], **options: Any) -> "subprocess.Popen[bytes]":
    """Start a command that ends, with all that it started, when this process has ended.

    Args:
        command: name of a console script of this Python's environment or any program, and arguments.
        options: of ``subprocess.Popen``, such as its output and environment.

    Returns:
        The process, in a group of its own; Ctrl-C is for this process, which then calls ``end_watched``.
    """
    return subprocess.Popen(
        [sys.executable, "-I", watched.__file__, program_of(command[0]), *command[1:]],
        stdin=subprocess.PIPE,
        start_new_session=True,
        **options,
    )


def end_watched(process: "subprocess.Popen[bytes]") -> None:
    """End a command and everything that it started, such as the data loaders of a training."""
    # The group's ID stays in use as long as one of its processes exists.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.stdin is not None:
        process.stdin.close()
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=_SECONDS_TO_END)
