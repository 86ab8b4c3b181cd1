"""How every command ends: what was wrong is one sentence on stderr, and the exit code says the rest."""

import logging
import sys
from collections.abc import Callable


def exit_code(command: str, run: Callable[[], int | None], stopped: str = "stopped.") -> int:
    """Run a command whose options make sense.

    Args:
        command: its name.
        run: what it does; returns the exit code, or None for 0.
        stopped: what is said when the user stops it.

    Returns:
        What ``run`` returns, 2 for a user's error, 130 if stopped.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    try:
        return run() or 0
    except KeyboardInterrupt:
        print(f"\n{command}: {stopped}", file=sys.stderr)
        return 130
    except (ValueError, OSError) as error:
        print(f"{command}: {error}", file=sys.stderr)
        return 2
