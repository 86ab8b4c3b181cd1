"""Locks on files. The system releases the locks of a process when it ends, however it ends.

Not filelock's: shared ones need SQLite, unsafe on network file systems, or files that outlive a killed process.
"""

import errno
import logging
import os
import sys
from pathlib import Path

if sys.platform != "win32":
    import fcntl

logger = logging.getLogger(__name__)

_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)  # of file systems without them


def lock_file(file: Path, *, wait: bool, shared: bool = False) -> int:
    """Lock an existing file; if it was replaced while waiting, lock the new one.

    Args:
        file: the file to lock; nothing is written to it.
        wait: until another process releases its lock.
        shared: with other processes that lock it as shared.

    Returns:
        The descriptor, which keeps the lock until it is closed.

    Raises:
        BlockingIOError: if another process has the lock, without ``wait``.
        FileNotFoundError: if the file does not exist.
    """
    while True:
        descriptor = os.open(file, os.O_RDWR)
        try:
            _lock(descriptor, wait=wait, shared=shared)
        except BaseException:
            os.close(descriptor)
            raise
        if file.exists() and os.path.samestat(os.fstat(descriptor), file.stat()):
            return descriptor
        os.close(descriptor)


def is_locked(file: Path) -> bool:
    """Return True if another process has the lock of a file; False if the file does not exist."""
    try:
        os.close(lock_file(file, wait=False, shared=True))
    except BlockingIOError:
        return True
    except OSError:  # not there, or another user's
        return False
    return False


def _lock(descriptor: int, *, wait: bool, shared: bool) -> None:
    if sys.platform == "win32":
        return
    mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(descriptor, mode if wait else mode | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        logger.info("The file system has no locks (%s).", error)
