"""The workflow of a benchmark, which snakemake runs: a list of steps, rules, and an empty file for what is done."""

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from nnunetv2_adamss.benchmark.steps import Step, file_name_of
from nnunetv2_adamss.common.files import read_json, write_json
from nnunetv2_adamss.common.processes import program_of

_NNUNET_FOLDERS = ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results")


@dataclass(frozen=True)
class Workflow:
    """The files that snakemake and the steps share.

    Args:
        output: folder of the benchmark.
    """

    output: Path

    @property
    def folder(self) -> Path:
        """Where snakemake runs."""
        return self.output / "workflow"

    @property
    def snakefile(self) -> Path:
        """The rules."""
        return self.folder / "Snakefile"

    @property
    def steps_file(self) -> Path:
        """The steps, and what they have in common."""
        return self.folder / "steps.json"

    def done(self, step: Step) -> Path:
        """The file that says that a step is done."""
        return self.folder / "done" / step.file_name

    def log(self, step: Step) -> Path:
        """Output of its command, of all attempts."""
        return self.output / "logs" / f"{step.file_name}.log"

    def lock(self, step: Step) -> Path:
        """The file that is locked while a step runs."""
        return self.folder / "running" / step.file_name

    def write(self, steps: Sequence[Step], gpus: Sequence[str]) -> str:
        """Write all files as they should be now; results that have to be made again are removed.

        Args:
            steps: each after those that it needs.
            gpus: CUDA devices that the steps share, one a step; none if each sees what it is given.

        Returns:
            The name of this run, which is in the record of each step that it attempts.
        """
        left = [step for step in steps if not step.is_done]
        shutil.rmtree(self.folder / "done", ignore_errors=True)
        for folder in ("done", "running", "profiles/default"):
            (self.folder / folder).mkdir(parents=True, exist_ok=True)
        for step in steps:
            if step not in left:
                self.done(step).touch()
            elif not step.has_failed_in_part():  # that counts if no more can be made
                step.discard_result()
        here = Path(__file__).parent
        shutil.copyfile(here / "Snakefile", self.snakefile)
        shutil.copyfile(here / "snakemake_profile.yaml", self.folder / "profiles/default/config.yaml")
        run = uuid4().hex
        waited_for = {name for step in steps for name in step.after}
        content = {
            "run": run,
            "folder": os.getcwd(),
            "environment": {name: os.environ[name] for name in _NNUNET_FOLDERS if name in os.environ},
            "gpus": list(gpus),
            "steps": {step.file_name: _plain(step, steps, step.name in waited_for) for step in steps},
        }
        write_json(self.steps_file, content)
        return run


@dataclass(frozen=True)
class PlannedStep:
    """A step as the workflow's list has it.

    Args:
        step: without what only the plan can tell of it.
        is_waited_for: whether steps come after it that can be done without it.
        run: name of the run.
        folder: where its command runs.
        environment: variables of its command.
        gpus: of which it takes one; none if it sees what it is given.
    """

    step: Step
    is_waited_for: bool
    run: str
    folder: Path
    environment: Mapping[str, str]
    gpus: Sequence[str]


def read_step(steps_file: Path, file_name: str) -> PlannedStep:
    """A step from the workflow's list.

    Args:
        steps_file: the list.
        file_name: of the step.
    """
    content = read_json(steps_file)
    steps: dict[str, Step] = {}
    for name, plain in content["steps"].items():
        steps[name] = Step(
            plain["name"],
            tuple(plain["command"]),
            tuple(map(Path, plain["evidence"])),
            tuple(steps[need] for need in plain["needs"]),
            environment=plain["environment"],
            resumes=plain["resumes"],
        )
    step, plain = steps[file_name], content["steps"][file_name]
    return PlannedStep(
        step,
        plain["is_waited_for"],
        content["run"],
        Path(content["folder"]),
        content["environment"] | step.environment,
        content["gpus"] if "cuda" in step.command else (),
    )


def _plain(step: Step, steps: Sequence[Step], is_waited_for: bool) -> dict[str, Any]:
    """A step as plain data."""
    names = {other.name for other in steps}
    return {
        "name": step.name,
        "command": [program_of(step.command[0]), *step.command[1:]],
        "evidence": [str(file) for file in step.evidence],
        "needs": [other.file_name for other in step.made_from],
        "after": [file_name_of(name) for name in step.after if name in names],
        "environment": dict(step.environment),
        "resumes": step.resumes,
        "is_result": step.is_result,
        "is_waited_for": is_waited_for,
    }
