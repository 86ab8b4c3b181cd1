"""A step of a benchmark: one command, what it needs, and how to tell that it is done."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Step:
    """One command.

    Args:
        name: for people.
        kind: steps of one kind take about as long as each other.
        command: as a user would type it.
        evidence: files that are there once it is done.
        needs: names of the steps that come first.
        environment: variables that differ from the user's.
        resumes: whether ``--c`` makes it go on where there is a checkpoint.
        settings: that the first evidence must have been made with, or else it is made anew.
        is_result: whether the tables need it; others are only needed by steps that are not done.
    """

    name: str
    kind: str
    command: tuple[str, ...]
    evidence: tuple[Path, ...]
    needs: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    resumes: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    is_result: bool = False

    @property
    def file_name(self) -> str:
        """Of its log, record and claims, without an ending."""
        return re.sub(r"\W+", "_", self.name)

    @property
    def is_done(self) -> bool:
        """Whether everything is there that it makes."""
        return self._is_there and not self._is_of_other_settings

    @property
    def goes_on(self) -> bool:
        """Whether it was begun, and goes on from there."""
        return self.resumes and not self.is_done and any(self.evidence[0].parent.glob("checkpoint_*.pth"))

    def command_now(self) -> list[str]:
        """The command line, with what makes it go on or begin anew."""
        if self.goes_on:
            return [*self.command, "--c"]
        if self.settings and self.evidence[0].is_file():
            return [*self.command, "--overwrite"]
        return list(self.command)

    @property
    def _is_there(self) -> bool:
        return all(file.is_file() for file in self.evidence)

    @property
    def _is_of_other_settings(self) -> bool:
        if not self.settings:
            return False
        found = json.loads(self.evidence[0].read_text(encoding="utf-8"))["settings"]
        return any(found.get(name) != value for name, value in self.settings.items())


def needed_steps(steps: Sequence[Step]) -> list[Step]:
    """Those that the tables need, and what is needed by those of them that are not done, in the same order."""
    wanted: set[str] = set()
    needed = []
    for step in reversed(steps):
        if step.is_result or step.name in wanted:
            needed.append(step)
            wanted.update(() if step.is_done else step.needs)
    return needed[::-1]
