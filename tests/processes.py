"""Processes that a test looks at from outside, on a machine that may be busy with other things."""

from collections.abc import Callable
from contextlib import suppress
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
