"""End of every command: an error is one sentence on stderr, and the exit code gives its kind."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_INTERRUPTED, _TERMINATED = 130, 143

logger = logging.getLogger(__name__)


class Terminated(KeyboardInterrupt):
    """The process received SIGTERM, from a batch system or another user; it ends as if interrupted."""


def exit_code(command: str, run: Callable[[], int | None], stopped: str = "stopped.") -> int:
    """Run a command whose options were checked.

    Args:
        command: its name.
        run: the command's work; returns the exit code, or None for 0.
        stopped: message when the user stops it.

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
        logger.debug("The error below comes from here:", exc_info=True)
        print(f"{command}: {error}", file=sys.stderr)
        return 2


@contextmanager
def _termination_raised() -> Iterator[None]:
    """Let SIGTERM raise ``Terminated`` in the context, so that worker processes and unfinished files are cleaned up."""
    if threading.current_thread() is not threading.main_thread():  # the only one that receives signals
        yield
        return
    before = signal.signal(signal.SIGTERM, _raise)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _raise(number: int, frame: FrameType | None) -> None:
    raise Terminated


def _block_sigterm() -> None:
    """Delay SIGTERM while this process forks: Python loses one that reaches the child before it has begun."""
    if signal.getsignal(signal.SIGTERM) is _raise:
        _mask.before_fork = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


def _unblock_sigterm() -> None:
    if (mask := _mask.__dict__.pop("before_fork", None)) is not None:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _exit_without_cleanup() -> None:
    """Exit a forked worker, such as nnU-Net's, without clean-up, since its pool waits for its end."""
    if signal.getsignal(signal.SIGTERM) is _raise:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _unblock_sigterm()


_mask = threading.local()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_block_sigterm, after_in_parent=_unblock_sigterm, after_in_child=_exit_without_cleanup
    )
