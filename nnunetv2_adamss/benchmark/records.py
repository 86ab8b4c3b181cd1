"""Records of the last attempt at each step of a benchmark: one small file a step."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nnunetv2_adamss.common.json_object import read_known_object
from nnunetv2_adamss.common.kinds import Kind, optional

_KINDS: dict[str, Kind] = {"run": str, "exit_code": optional(int), "reason": str}


def record_file(output: Path, step_file_name: str) -> Path:
    """Return the path of a step's record.

    Args:
        output: folder of the benchmark.
        step_file_name: of the step.
    """
    return output / "steps" / f"{step_file_name}.json"


def read_record(file: Path) -> dict[str, Any]:
    """Return the run that made the attempt, the exit code (None until it has ended), and why it failed.

    Version 0.1 wrote the exit code only. A step without a record, or with a damaged one, has none of the three.
    """
    try:
        return read_known_object(file, _KINDS, ["exit_code"])
    except (FileNotFoundError, ValueError):
        return {}


def has_failed_in_part(file: Path, evidence: Sequence[Path]) -> bool:
    """Return True if the last attempt failed although all files of the step were present when it ended.

    Args:
        file: the record.
        evidence: all that the step makes.
    """
    if read_record(file).get("exit_code", 0) != 0 and all(made.is_file() for made in evidence):
        return file.stat().st_mtime >= max(made.stat().st_mtime for made in evidence)
    return False
