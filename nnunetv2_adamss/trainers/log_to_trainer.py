"""The library's log messages in nnU-Net's training log, where users look."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_LIBRARY = "nnunetv2_adamss"


class _ForwardingHandler(logging.Handler):
    def __init__(self, write: Callable[[str], object]) -> None:
        super().__init__()
        self.write = write

    def emit(self, record: logging.LogRecord) -> None:
        self.write(f"{record.levelname}: {record.getMessage()}")


@contextmanager
def library_logs_to(write: Callable[[str], object]) -> Iterator[None]:
    """Pass every message that the library logs in the context to a function, such as ``print_to_log_file``."""
    library = logging.getLogger(_LIBRARY)
    handler = _ForwardingHandler(write)
    propagate, library.propagate = library.propagate, False
    library.addHandler(handler)
    try:
        yield
    finally:
        library.removeHandler(handler)
        library.propagate = propagate
