"""A step of a benchmark: one command, what it needs, and how to tell that it is done."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nnunetv2_adamss.trained_folds.fold_files import latest_checkpoint

# File systems keep times to two seconds at worst.
_CLOCK_SECONDS = 2.0


@dataclass(frozen=True)
class Step:
    """One command.

    Args:
        name: for people.
        command: as a user would type it.
        evidence: files that are there once it is done; the first one tells when that was.
        made_from: steps whose results it starts from, and without which it cannot be done.
        after: names of steps that come first where they are to be done, but without which it can be done, too.
        environment: variables that differ from the user's.
        resumes: whether ``--c`` makes it go on where there is a checkpoint.
        differences: where what is there is of something else than what it would now be made from, in words.
        has_failed_in_part: whether what is there was left by an attempt that failed for single patients.
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
        """The name of its log and its record, without an ending."""
        return file_name_of(self.name)

    @property
    def is_there(self) -> bool:
        """Whether there is everything that it makes."""
        return all(file.is_file() for file in self.evidence)

    @property
    def is_done(self) -> bool:
        """Whether that is there for all patients, and of what is there now."""
        try:
            return self.is_there and not self.is_outdated and not self.has_failed_in_part()
        except FileNotFoundError:  # another process makes it anew at this moment
            return False

    @property
    def is_outdated(self) -> bool:
        """Whether what is there must be made anew; never of a training, which is refused instead."""
        if self.resumes or not self.is_there:
            return False
        return bool(self.differences()) or any(map(self._is_older_than, self.made_from))

    @property
    def goes_on(self) -> bool:
        """Whether it was begun, and goes on from there."""
        return self.resumes and not self.is_done and latest_checkpoint(self.evidence[0].parent) is not None

    def discard_result(self) -> None:
        """Remove what stands for an earlier result, which would count again if it cannot be made anew."""
        # Trainings go on from what is there, and so do extractions, which are no results.
        if self.is_result and not self.resumes:
            for file in self.evidence:
                file.unlink(missing_ok=True)

    def _is_older_than(self, other: "Step") -> bool:
        if not other.is_there:
            return False
        own, theirs = (step.evidence[0].stat().st_mtime for step in (self, other))
        return other.is_outdated or theirs > own + _CLOCK_SECONDS


def file_name_of(name: str) -> str:
    """The name of a step's log and its record, without an ending.

    Args:
        name: of the step.
    """
    return re.sub(r"\W+", "_", name)


def needed_steps(steps: Sequence[Step]) -> list[Step]:
    """Those that the tables need, and what is needed by those of them that are not done, in the same order."""
    wanted: set[str] = set()
    needed = []
    for step in reversed(steps):
        if step.is_result or step.name in wanted:
            needed.append(step)
            wanted.update(() if step.is_done else step.needs)
    return needed[::-1]
