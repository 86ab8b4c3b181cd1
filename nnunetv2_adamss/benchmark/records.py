"""The last attempt at each step of a benchmark: one small file a step."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from nnunetv2_adamss.common.files import write_json
from nnunetv2_adamss.common.json_object import read_known_object
from nnunetv2_adamss.common.kinds import Kind, optional

# Folder of a benchmark's records.
RECORDS = "steps"


@dataclass(frozen=True)
class Record:
    """The last attempt at a step.

    Args:
        run: name of the call of ``adamss_benchmark`` that it belongs to; empty before version 0.2.
        exit_code: of its command; None until it has ended.
        reason: why it failed, in words.
    """

    run: str
    exit_code: int | None = None
    reason: str = ""

    def write(self, output: Path, step_file_name: str) -> None:
        """Replace the step's record.

        Args:
            output: folder of the benchmark.
            step_file_name: of the step.
        """
        write_json(_file(output, step_file_name), asdict(self), indent=None)


def read_record(output: Path, step_file_name: str) -> Record | None:
    """The record of a step; None where there is none, or only a damaged one: then nothing is known of the step.

    Args:
        output: folder of the benchmark.
        step_file_name: of the step.
    """
    kinds: dict[str, Kind] = {"run": str, "exit_code": optional(int), "reason": str}
    try:
        found = read_known_object(_file(output, step_file_name), kinds, ["exit_code"])
    except (FileNotFoundError, ValueError):
        return None
    return Record(found.get("run", ""), found["exit_code"], found.get("reason", ""))


def has_failed_in_part(output: Path, step_file_name: str, evidence: Sequence[Path]) -> bool:
    """Whether the last attempt at a step did not succeed after it, or an earlier one, had left these files.

    Args:
        output: folder of the benchmark.
        step_file_name: of the step.
        evidence: all that it makes.
    """
    record = read_record(output, step_file_name)
    if record is None or record.exit_code == 0 or not all(file.is_file() for file in evidence):
        return False
    made = max(file.stat().st_mtime for file in evidence)
    return _file(output, step_file_name).stat().st_mtime >= made


def _file(output: Path, step_file_name: str) -> Path:
    return output / RECORDS / f"{step_file_name}.json"
