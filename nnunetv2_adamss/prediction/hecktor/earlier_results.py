"""Results of an earlier run in the challenge's container; without PyTorch, to remove them before all checks."""

from collections.abc import Sequence
from pathlib import Path

RFS_FILE = "rfs.json"


def remove_results(output: Path, stage_files: Sequence[str]) -> None:
    """Remove ``rfs.json`` and the files of the stages, which must not stay if this run fails."""
    for name in (RFS_FILE, *stage_files):
        (output / name).unlink(missing_ok=True)
