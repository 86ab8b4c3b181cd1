"""Steps of a shell script, each of which makes a file, and says so in a file of all calls."""

from pathlib import Path

from nnunetv2_adamss.benchmark.steps import Step
from tests.processes import wait_until


def make_steps(folder: Path, script: str) -> list[Step]:
    """Four steps, of which the third needs the first two, and the last one the third."""
    steps: dict[str, Step] = {}
    for name, needs in {"a": "", "b": "", "c": "ab", "d": "c"}.items():
        steps[name] = make_step(folder, name, script, made_from=tuple(steps[need] for need in needs))
    return list(steps.values())


def make_step(folder: Path, name: str, script: str, **options: object) -> Step:
    command = ("sh", "-c", f"cd {folder}; echo {name} $$ >> calls; {script.replace('NAME', name)}")
    return Step(name, command, (folder / name,), **({"is_result": True} | options))  # type: ignore[arg-type]


def calls(folder: Path) -> list[str]:
    file = folder / "calls"
    return [line.split()[0] for line in file.read_text().splitlines()] if file.is_file() else []


def wait_for_call(folder: Path) -> int:
    """The number of the process of the first call."""
    wait_until(lambda: bool(calls(folder)))
    return int((folder / "calls").read_text().split()[1])
