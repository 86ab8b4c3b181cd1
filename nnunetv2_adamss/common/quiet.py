"""Whether progress is shown: bars, and what nnU-Net prints while it works."""

import os

# tqdm's own variable, which child processes inherit.
QUIET = "TQDM_DISABLE"


def is_quiet() -> bool:
    """Whether the user wants results and warnings only."""
    return bool(os.environ.get(QUIET))


def no_bar() -> bool | None:
    """The ``disable`` of a tqdm bar: None, which shows it on a terminal, unless the user wants none."""
    return True if is_quiet() else None
