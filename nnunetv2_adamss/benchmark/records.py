"""What became of each step, and how long it took: one small file a step, so that runs do not overwrite each other."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from nnunetv2_adamss.benchmark.steps import Step
from nnunetv2_adamss.common.files import write_json
from nnunetv2_adamss.common.json_object import read_object
from nnunetv2_adamss.common.kinds import is_number

# Folder of a benchmark's records.
RECORDS = "steps"


@dataclass(frozen=True)
class Record:
    """The last attempt at a step.

    Args:
        kind: of the step.
        seconds: that it took.
        exit_code: of its command.
        resumed: whether it went on from an earlier attempt, so that it took longer in all.
    """

    kind: str
    seconds: float
    exit_code: int
    resumed: bool


@dataclass(frozen=True)
class Records:
    """The records of a benchmark.

    Args:
        folder: is made if need be.
    """

    folder: Path

    def write(self, step: Step, record: Record) -> None:
        """Replace the step's record."""
        write_json(self._file(step.file_name), asdict(record), indent=None)

    def has_failed_since(self, step: Step, moment: float) -> bool:
        """Whether the last attempt, of whatever process, ended after this moment with an error."""
        return self._is_failure(step.file_name, moment)

    def has_failed_in_part(self, step_file_name: str, evidence: Sequence[Path]) -> bool:
        """Whether the last attempt ended with an error after it, or an earlier one, had left these files."""
        moments = [file.stat().st_mtime for file in evidence if file.is_file()]
        return len(moments) == len(evidence) and self._is_failure(step_file_name, max(moments))

    def mean_seconds(self) -> dict[str, float]:
        """How long steps take, by kind, of those that were done in one go."""
        seconds: dict[str, list[float]] = {}
        for record in filter(None, map(_read, sorted(self.folder.glob("*.json")))):
            if record.exit_code == 0 and not record.resumed:
                seconds.setdefault(record.kind, []).append(record.seconds)
        return {kind: float(np.mean(values)) for kind, values in seconds.items()}

    def _is_failure(self, step_file_name: str, since: float) -> bool:
        file = self._file(step_file_name)
        record = _read(file)
        return record is not None and record.exit_code != 0 and file.stat().st_mtime >= since

    def _file(self, step_file_name: str) -> Path:
        return self.folder / f"{step_file_name}.json"


def _read(file: Path) -> Record | None:
    """None where there is none, or only a damaged one: then it is not known what became of the step."""
    try:
        found = read_object(file, kind=str, seconds=is_number, exit_code=int, resumed=bool)
    except (FileNotFoundError, ValueError):
        return None
    return Record(found["kind"], float(found["seconds"]), found["exit_code"], found["resumed"])
