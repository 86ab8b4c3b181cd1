"""How every command ends: what was wrong is one sentence on stderr, and the exit code says the rest."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_INTERRUPTED, _TERMINATED = 130, 143


class Terminated(KeyboardInterrupt):
    """The process got SIGTERM, from a batch system or another user; it ends as if it was interrupted."""


def exit_code(command: str, run: Callable[[], int | None], stopped: str = "stopped.") -> int:
    """Run a command whose options make sense.

    Args:
        command: its name.
        run: what it does; returns the exit code, or None for 0.
        stopped: what is said when the user stops it.

    Returns:
        What ``run`` returns, 2 for a user's error, 130 if interrupted, 143 if terminated.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    try:
        with _termination_raised():
            return run() or 0
    except KeyboardInterrupt as stop:
        print(f"\n{command}: {stopped}", file=sys.stderr)
        return _TERMINATED if isinstance(stop, Terminated) else _INTERRUPTED
    except (ValueError, OSError) as error:
        print(f"{command}: {error}", file=sys.stderr)
        return 2


@contextmanager
def _termination_raised() -> Iterator[None]:
    """Within, SIGTERM raises ``Terminated``, so that worker processes and unfinished files are cleaned up."""
    if threading.current_thread() is not threading.main_thread():  # which alone hears signals
        yield
        return
    process_id = os.getpid()

    def end(number: int, frame: FrameType | None) -> None:
        if os.getpid() != process_id:  # a forked worker, which has nothing to clean up
            os._exit(_TERMINATED)
        raise Terminated

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
