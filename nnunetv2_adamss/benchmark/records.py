"""What became of each step, and how long it took: one small file a step, so that runs do not overwrite each other."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nnunetv2_adamss.benchmark.steps import Step
from nnunetv2_adamss.survival.files import write_atomically


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
        write_atomically(self._file(step), json.dumps(asdict(record)))

    def has_failed_since(self, step: Step, moment: float) -> bool:
        """Whether the last attempt, of whatever process, ended after this moment with an error."""
        file = self._file(step)
        return file.is_file() and file.stat().st_mtime >= moment and _read(file).exit_code != 0

    def mean_seconds(self) -> dict[str, float]:
        """How long steps take, by kind, of those that were done in one go."""
        seconds: dict[str, list[float]] = {}
        for record in self._all():
            if record.exit_code == 0 and not record.resumed:
                seconds.setdefault(record.kind, []).append(record.seconds)
        return {kind: float(np.mean(values)) for kind, values in seconds.items()}

    def _all(self) -> Iterable[Record]:
        return map(_read, sorted(self.folder.glob("*.json")))

    def _file(self, step: Step) -> Path:
        return self.folder / f"{step.file_name}.json"


def _read(file: Path) -> Record:
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return Record(**content)
