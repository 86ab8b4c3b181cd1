"""How much a command says: ``-q``, ``-v``, or neither."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from enum import Enum

from nnunetv2_adamss.common.quiet import QUIET, is_quiet

_LIBRARY = "nnunetv2_adamss"


class Verbosity(Enum):
    """How much a command says."""

    QUIET = "quiet"
    NORMAL = "normal"
    VERBOSE = "verbose"


@contextmanager
def saying(verbosity: Verbosity) -> Iterator[None]:
    """Within, the library logs and shows progress as the user wants it; so do processes that are started."""
    library, before = logging.getLogger(_LIBRARY), os.environ.get(QUIET)
    level = library.level
    if verbosity is Verbosity.VERBOSE:
        library.setLevel(logging.DEBUG)
    if verbosity is Verbosity.QUIET:
        os.environ[QUIET] = "1"
    try:
        yield
    finally:
        library.setLevel(level)
        if verbosity is Verbosity.QUIET:
            os.environ.pop(QUIET)
            os.environ.update({} if before is None else {QUIET: before})


@contextmanager
def results_only() -> Iterator[None]:
    """Within, what nnU-Net prints is shown, unless the user wants results only."""
    if not is_quiet():
        yield
        return
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        yield
