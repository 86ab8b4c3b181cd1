"""Processes that a test looks at from outside, on a machine that may be busy with other things."""

import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any


def is_running(process_id: int) -> bool:
    """Whether a process is still there; one that has ended and waits to be collected is not."""
    state = Path("/proc", str(process_id), "stat")
    try:
        return state.read_text().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


# Many times what the busiest machine needs: it only ends a wait for what never happens.
TIMEOUT_S = 600


def wait_until(what: Callable[[], bool], process: "subprocess.Popen[Any] | None" = None) -> None:
    """Until something has happened, such as that a killed process is gone, which takes a moment.

    Args:
        what: has happened.
        process: that is going to do it, and is a fault if it ends before.
    """
    end = monotonic() + TIMEOUT_S
    while not what():
        assert process is None or process.poll() is None, "the process ended before it has happened"
        assert monotonic() < end, f"it has not happened in {TIMEOUT_S} seconds"
        sleep(0.02)


def descendants_of(process_id: int) -> list[int]:
    """Processes that a process started, and those that these started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            # After the name, which is in brackets and may hold anything.
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == process_id:
                child = int(folder.name)
                found += [child, *descendants_of(child)]
    return found
