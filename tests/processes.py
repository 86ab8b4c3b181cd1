"""Processes that a test looks at from outside, on a machine that may be busy with other things."""

from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep


def is_running(process_id: int) -> bool:
    """Whether a process is still there; one that has ended and waits to be collected is not."""
    state = Path("/proc", str(process_id), "stat")
    try:
        return state.read_text().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(what: Callable[[], bool], timeout_s: float = 60) -> None:
    """Until something has happened, such as that a killed process is gone, which takes a moment."""
    end = monotonic() + timeout_s
    while not what():
        assert monotonic() < end, f"it has not happened in {timeout_s} seconds"
        sleep(0.02)
