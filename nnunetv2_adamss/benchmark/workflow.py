"""Write the snakemake workflow of a benchmark: a list of steps, rules, and an empty file for each finished step."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from nnunetv2_adamss.benchmark.records import record_file
from nnunetv2_adamss.benchmark.steps import Step, file_name_of
from nnunetv2_adamss.common.files import write_json
from nnunetv2_adamss.common.processes import program_of

_NNUNET_FOLDERS = ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results")


def workflow_folder(output: Path) -> Path:
    """Return the folder of a benchmark in which snakemake runs."""
    return output / "workflow"


def lock_of(output: Path, step: Step) -> Path:
    """Return the file that is locked while a step runs."""
    return workflow_folder(output) / "running" / step.file_name


def log_of(output: Path, step: Step) -> Path:
    """Return the log file of a step's command, with the output of all attempts."""
    return output / "logs" / f"{step.file_name}.log"


def write_workflow(steps: Sequence[Step], output: Path, gpus: Sequence[str]) -> str:
    """Write all files of the workflow, and remove results that must be replaced.

    Args:
        steps: each after those that it needs.
        output: folder of the benchmark.
        gpus: CUDA devices that the steps share, one a step; none if each sees what it is given.

    Returns:
        The name of this run, which is in the record of each step that it attempts.
    """
    folder, run = workflow_folder(output), uuid4().hex
    shutil.rmtree(folder / "done", ignore_errors=True)
    for name in ("done", "running", "profiles/default", "../logs"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    left = [step for step in steps if not step.is_done]
    names = {step.name for step in steps}
    waited_for = {name for step in steps for name in step.after}
    content = {
        step.file_name: {
            "name": step.name,
            "command": [program_of(step.command[0]), *step.command[1:]],
            "evidence": list(map(str, step.evidence)),
            "needs": [other.file_name for other in step.made_from],
            "after": [file_name_of(name) for name in step.after if name in names],
            "environment": dict(step.environment),
            "resumes": step.resumes,
            "is_result": step.is_result,
            # Whether a present result counts if it cannot be replaced, and whether others can do without it.
            "is_outdated": step.is_outdated,
            "is_optional": step.name in waited_for,
            "log": str(log_of(output, step)),
            "record": str(record_file(output, step.file_name)),
        }
        for step in steps
    }
    for step in steps:
        if step not in left:
            (folder / "done" / step.file_name).touch()
        elif not step.has_failed_in_part():
            step.discard_result()
    environment = {name: os.environ[name] for name in _NNUNET_FOLDERS if name in os.environ}
    here = Path(__file__).parent
    shutil.copyfile(here / "Snakefile", folder / "Snakefile")
    shutil.copyfile(here / "snakemake_profile.yaml", folder / "profiles/default/config.yaml")
    write_json(
        folder / "steps.json",
        {"run": run, "folder": os.getcwd(), "environment": environment, "gpus": list(gpus), "steps": content},
    )
    return run
