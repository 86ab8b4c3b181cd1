"""Verbosity of a command: ``-q``, ``-v``, or neither."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from enum import Enum

from nnunetv2_adamss.common.quiet import QUIET, is_quiet

_LIBRARY = "nnunetv2_adamss"


class Verbosity(Enum):
    """Amount of a command's output."""

    QUIET = "quiet"
    NORMAL = "normal"
    VERBOSE = "verbose"


@contextmanager
def saying(verbosity: Verbosity) -> Iterator[None]:
    """Set logging and progress to the user's verbosity in the context, also in processes started there."""
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
    """Hide what is printed in the context, by nnU-Net or before the results, if the user wants results only."""
    if not is_quiet():
        yield
        return
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        yield
