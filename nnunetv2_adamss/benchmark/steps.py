"""A step of a benchmark: one command, the steps that it needs, and the check that it is done."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nnunetv2_adamss.trained_folds.fold_files import latest_checkpoint

# The coarsest resolution of file times is two seconds.
_CLOCK_SECONDS = 2.0


@dataclass(frozen=True)
class Step:
    """One command of a benchmark.

    Args:
        name: readable title.
        command: as a user would type it.
        evidence: files that are there once it is done; its time is that of the first one.
        made_from: steps whose results it starts from, and without which it cannot be done.
        after: names of steps that come first where they are to be done, but without which it can be done, too.
        environment: variables that differ from the user's.
        resumes: whether ``--c`` makes it continue from a checkpoint.
        differences: describes how the inputs of the present result differ from the present inputs.
        has_failed_in_part: whether the present result is of an attempt that failed for single patients.
        is_result: whether the tables need it; others are only needed by steps that are not done.
    """

    name: str
    command: tuple[str, ...]
    evidence: tuple[Path, ...]
    made_from: tuple["Step", ...] = ()
    after: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    resumes: bool = False
    differences: Callable[[], Sequence[str]] = tuple
    has_failed_in_part: Callable[[], bool] = bool
    is_result: bool = False

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the steps without which it cannot be done."""
        return tuple(step.name for step in self.made_from)

    @property
    def file_name(self) -> str:
        """Name of its log and its record, without an ending."""
        return file_name_of(self.name)

    @property
    def is_there(self) -> bool:
        """True if all files that it makes are present."""
        return all(file.is_file() for file in self.evidence)

    @property
    def is_done(self) -> bool:
        """True if all files are present, for all patients, and of the present inputs."""
        try:
            return self.is_there and not self.is_outdated and not self.has_failed_in_part()
        except FileNotFoundError:  # another process is replacing it at this moment
            return False

    @property
    def is_outdated(self) -> bool:
        """True if the present result must be replaced; never for a training, which is refused instead."""
        if self.resumes or not self.is_there:
            return False
        return bool(self.differences()) or any(map(self._is_older_than, self.made_from))

    @property
    def will_resume(self) -> bool:
        """True if it was begun and continues from a checkpoint."""
        return self.resumes and not self.is_done and latest_checkpoint(self.evidence[0].parent) is not None

    def discard_result(self) -> None:
        """Remove an earlier result, which would count again if it cannot be replaced."""
        # Trainings continue from their checkpoints, and extractions, which are no results, from present cases.
        if self.is_result and not self.resumes:
            for file in self.evidence:
                file.unlink(missing_ok=True)

    def _is_older_than(self, other: "Step") -> bool:
        if not other.is_there:
            return False
        own, theirs = (step.evidence[0].stat().st_mtime for step in (self, other))
        return other.is_outdated or theirs > own + _CLOCK_SECONDS


def file_name_of(name: str) -> str:
    """Return the name of a step's log and its record, without an ending.

    Args:
        name: of the step.
    """
    return re.sub(r"\W+", "_", name)


def needed_steps(steps: Sequence[Step]) -> list[Step]:
    """Return the steps that the tables need, and those that unfinished ones of them need, in the same order."""
    wanted: set[str] = set()
    needed = []
    for step in reversed(steps):
        if step.is_result or step.name in wanted:
            needed.append(step)
            wanted.update(() if step.is_done else step.needs)
    return needed[::-1]
