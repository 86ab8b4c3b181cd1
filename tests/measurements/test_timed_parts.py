"""Parts of a measuring script: whatever becomes of one, the others are measured."""

import math
import os
import sys
from pathlib import Path

import pytest

from measurements.timed_parts import Commands, LeftOut, OutOfTime, Part, Rows, run_side_by_side
from tests.processes import is_running, wait_until

SLEEPS = (sys.executable, "-c", "import time; time.sleep(600)")
# Writes its process number, and then sleeps.
SAYS_ITS_ID = (
    "import os, pathlib, sys, time; pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); time.sleep(600)"
)


def commands_until(end: float, folder: Path) -> Commands:
    return Commands(folder / "log.txt", end)


def test_a_part_that_fails_or_has_no_time_does_not_stop_the_others(tmp_path: Path) -> None:
    def fails(commands: Commands, rows: Rows) -> None:
        rows["before"] = {"seconds": 1.0}
        raise ValueError("no compiler")

    def takes_too_long(commands: Commands, rows: Rows) -> None:
        rows["before"] = {"seconds": 2.0}
        commands.run(*SLEEPS)

    def is_not_there(commands: Commands, rows: Rows) -> None:
        raise LeftOut("there is no data")

    def works(commands: Commands, rows: Rows) -> None:
        commands.run(sys.executable, "-c", "pass")
        rows["all"] = {"seconds": 3.0}

    parts = [
        Part("fails", 600, fails),
        Part("takes too long", 0.5, takes_too_long),
        Part("is not there", 600, is_not_there),
        Part("works", math.inf, works),
    ]
    results = run_side_by_side(parts, tmp_path, math.inf)

    states = {name: result.state for name, result in results.items()}
    assert states["fails"] == "failed: ValueError: no compiler"
    assert states["takes too long"].startswith("out of time")
    assert states["is not there"] == "left out: there is no data"
    assert states["works"] == "done"
    assert [name for name, result in results.items() if result.failed] == ["fails"]
    # What they had measured is kept.
    assert [list(result.rows) for result in results.values()] == [["before"], ["before"], [], ["all"]]


def test_a_part_is_left_out_when_no_time_is_left(tmp_path: Path) -> None:
    part = Part("late", 600, lambda commands, rows: commands.run(*SLEEPS))
    assert run_side_by_side([part], tmp_path, 0.0)["late"].state == "left out: no time is left"


def test_a_command_that_is_out_of_time_is_killed(tmp_path: Path) -> None:
    """The clock has run out, but a command is started before anyone looks at it."""
    file = tmp_path / "id.txt"
    with pytest.raises(OutOfTime):
        commands_until(0.0, tmp_path).run(*SLEEPS)
    with pytest.raises(OutOfTime):
        commands_until(0.0, tmp_path).kill(sys.executable, "-c", SAYS_ITS_ID, str(file), when=lambda: False)
    wait_until(lambda: not file.exists() or not is_running(int(file.read_text())))


def test_a_command_is_killed_when_something_has_happened(tmp_path: Path) -> None:
    file = tmp_path / "id.txt"
    commands_until(math.inf, tmp_path).kill(
        sys.executable, "-c", SAYS_ITS_ID, str(file), when=lambda: file.exists() and bool(file.read_text())
    )
    wait_until(lambda: not is_running(int(file.read_text())))


def test_a_command_that_ends_before_it_is_killed_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="ended before it was killed: over"):
        commands_until(math.inf, tmp_path).kill(sys.executable, "-c", "print('over')", when=lambda: False)


def test_a_command_that_fails_is_named_with_its_last_line(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"ended with 3: no GPU"):
        commands_until(math.inf, tmp_path).run(
            sys.executable, "-c", "print('no GPU\\n'); raise SystemExit(3)"
        )


def test_variables_reach_a_command(tmp_path: Path) -> None:
    code = "import os; raise SystemExit(os.environ['GPU_CHECK_TEST'] != 'here')"
    commands_until(math.inf, tmp_path).run(sys.executable, "-c", code, environment={"GPU_CHECK_TEST": "here"})
    assert "GPU_CHECK_TEST" not in os.environ
