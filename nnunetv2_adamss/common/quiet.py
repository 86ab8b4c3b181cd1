"""The user's choice to hide progress bars and nnU-Net's prints."""

import os

# tqdm's own variable, which child processes inherit.
QUIET = "TQDM_DISABLE"


def is_quiet() -> bool:
    """Return True if the user wants results and warnings only."""
    return bool(os.environ.get(QUIET))


def no_bar() -> bool | None:
    """Argument ``disable`` of a tqdm bar: None, which shows it on a terminal, unless the user wants none."""
    return True if is_quiet() else None
