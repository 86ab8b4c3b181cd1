"""Doing steps: in order, in several processes, and never beyond the end of the process that does them."""

import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from threading import Thread
from time import sleep, time

import pytest

from nnunetv2_adamss.benchmark import claims
from nnunetv2_adamss.benchmark.durations import TimeLeft, time_left
from nnunetv2_adamss.benchmark.records import RECORDS, Record, Records
from nnunetv2_adamss.benchmark.run_steps import run_steps
from nnunetv2_adamss.benchmark.steps import Step, needed_steps
from nnunetv2_adamss.common import watched
from tests.processes import is_running, wait_until

# Steps that each make a file, and say so in a file of all calls.
_CODE = """
import os, sys
from pathlib import Path
from nnunetv2_adamss.benchmark import run_steps as run
from tests.benchmark.test_run_steps import make_steps

run._LOOK_SECONDS = 0.1

folder = Path(sys.argv[1])
outcome = run.run_steps(
    make_steps(folder, sys.argv[2]), folder / "OUT", n_workers=2,
    on_change=lambda n_done, names: (folder / f"ready_{os.getpid()}").touch(),
)
print([failure.reason for failure in outcome.failures], outcome.skipped)
"""


def make_steps(folder: Path, script: str) -> list[Step]:
    """Four steps of a shell script, of which the third needs the first two, and the last one the third."""
    steps: dict[str, Step] = {}
    for name, needs in {"a": "", "b": "", "c": "ab", "d": "c"}.items():
        steps[name] = Step(
            name,
            "kind",
            ("sh", "-c", f"cd {folder}; echo {name} $$ >> calls; {script.replace('NAME', name)}"),
            (folder / name,),
            tuple(steps[need] for need in needs),
            is_result=True,
        )
    return list(steps.values())


def calls(folder: Path) -> list[str]:
    file = folder / "calls"
    return [line.split()[0] for line in file.read_text().splitlines()] if file.is_file() else []


def process(folder: Path, script: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", _CODE, str(folder), script], stdout=subprocess.PIPE, text=True
    )


def wait_for_call(folder: Path) -> int:
    """The number of the process of the first call."""
    wait_until(lambda: bool(calls(folder)))
    return int((folder / "calls").read_text().split()[1])


def test_steps_are_done_after_those_that_they_need_and_only_once(tmp_path: Path) -> None:
    steps = make_steps(tmp_path, "touch NAME")
    told: list[tuple[int, list[str]]] = []
    for _ in range(2):
        outcome = run_steps(steps, tmp_path / "OUT", on_change=lambda n, names: told.append((n, list(names))))
        assert outcome.failures == [] and outcome.skipped == {}
    assert calls(tmp_path) == ["a", "b", "c", "d"]
    assert told[0] == (0, ["a"]) and told[-1] == (4, [])
    record = json.loads((tmp_path / "OUT" / "steps" / "c.json").read_text())
    assert record["exit_code"] == 0 and record["kind"] == "kind"
    log = (tmp_path / "OUT" / "logs" / "a.log").read_text()
    assert log.startswith("$ sh -c ")


def test_what_needs_a_failed_step_is_left_out_and_the_others_are_done(tmp_path: Path) -> None:
    steps = make_steps(tmp_path, "test NAME = b && echo so it goes && exit 7; touch NAME")
    outcome = run_steps(steps, tmp_path / "OUT")
    (failure,) = outcome.failures
    assert (failure.step, failure.reason) == ("b", "it ended with exit code 7")
    assert failure.last_lines[-1] == "so it goes"
    assert outcome.skipped == {"c": "b", "d": "b"}
    assert calls(tmp_path) == ["a", "b"]


def test_what_is_outdated_does_not_count_where_it_cannot_be_made_anew(tmp_path: Path) -> None:
    first, *_ = make_steps(tmp_path, "exit 1")
    file = tmp_path / "second"
    second = Step(
        "second", "kind", (), (file,), (first,), differences=lambda: ["of other outcomes"], is_result=True
    )
    file.touch()
    assert run_steps([first, second], tmp_path / "OUT").skipped == {"second": "a"}
    assert not file.exists()


def test_what_needs_a_step_that_failed_for_single_patients_is_done(tmp_path: Path) -> None:
    outcome = run_steps(make_steps(tmp_path, "touch NAME; test NAME != b"), tmp_path / "OUT")
    assert [failure.step for failure in outcome.failures] == ["b"] and outcome.skipped == {}
    assert calls(tmp_path) == ["a", "b", "c", "d"]


def test_a_command_that_leaves_nothing_has_failed_though_it_says_otherwise(tmp_path: Path) -> None:
    outcome = run_steps(make_steps(tmp_path, "test NAME = c || touch NAME"), tmp_path / "OUT")
    (failure,) = outcome.failures
    assert failure.reason == f"it ended without an error, but there is no {tmp_path / 'c'}"
    assert outcome.skipped == {"d": "c"}


def test_what_only_comes_after_a_failed_step_is_done_once_that_is_given_up(tmp_path: Path) -> None:
    first, *_ = make_steps(tmp_path, "sleep 0.3; exit 1")
    second = Step(
        "later",
        "kind",
        ("touch", str(tmp_path / "later")),
        (tmp_path / "later",),
        after=("a", "of another run"),
    )
    outcome = run_steps([second, first], tmp_path / "OUT", n_workers=2)
    assert [failure.step for failure in outcome.failures] == ["a"] and outcome.skipped == {}
    first_ended = (tmp_path / "OUT" / "steps" / "a.json").stat().st_mtime
    assert (tmp_path / "later").stat().st_mtime >= first_ended


def test_what_failed_for_single_patients_is_tried_again_and_what_was_left_stays(tmp_path: Path) -> None:
    records = Records(tmp_path / "OUT" / RECORDS)

    def step(script: str) -> Step:
        file = tmp_path / "a"
        return Step(
            "a", "kind", ("sh", "-c", f"echo a $$ >> {tmp_path}/calls; {script}"), (file,), is_result=True,
            has_failed_in_part=partial(records.has_failed_in_part, "a", (file,)),
        )  # fmt: skip

    for script in (f"echo most > {tmp_path}/a; exit 1", "exit 1"):
        assert [f.step for f in run_steps([step(script)], tmp_path / "OUT").failures] == ["a"]
        assert (tmp_path / "a").read_text() == "most\n"
        assert not step("").is_done
        sleep(0.1)  # Or the clock of the files could take the failure for one of the next run.
    assert run_steps([step(f"echo all > {tmp_path}/a")], tmp_path / "OUT").failures == []
    assert step("").is_done
    run_steps([step("exit 1")], tmp_path / "OUT")
    assert calls(tmp_path) == ["a"] * 3


def test_a_record_that_is_damaged_is_one_of_which_nothing_is_known(tmp_path: Path) -> None:
    (step, *_) = make_steps(tmp_path, "")
    records = Records(tmp_path)
    records.write(step, Record("kind", 12.0, 1, resumed=False))
    assert records.has_failed_since(step, 0) and not records.has_failed_since(step, time() + 60)
    for content in (
        "",
        "{",
        "[]",
        '{"kind": "x"}',
        '{"kind": "x", "seconds": "y", "exit_code": 0, "resumed": 0}',
    ):
        (tmp_path / "a.json").write_text(content)
        assert not records.has_failed_since(step, 0) and records.mean_seconds() == {}


def test_a_process_that_does_not_wait_leaves_what_others_do_to_them(tmp_path: Path) -> None:
    other = process(tmp_path, "test NAME = b || { until test -e go; do sleep 0.05; done; }; touch NAME")
    wait_until(lambda: {"a", "b"} <= set(calls(tmp_path)))
    # If it did wait, then for ever.
    outcome = run_steps(make_steps(tmp_path, "touch NAME"), tmp_path / "OUT", waits=False)
    assert outcome.failures == [] and outcome.skipped == {}
    (tmp_path / "go").touch()
    assert other.communicate()[0] == "[] {}\n"
    assert sorted(calls(tmp_path)) == ["a", "b", "c", "d"]


def test_it_is_told_when_steps_begin_and_end(tmp_path: Path) -> None:
    told: list[str] = []
    run_steps(make_steps(tmp_path, "test NAME = b && exit 3; touch NAME"), tmp_path / "OUT", tell=told.append)
    logs = tmp_path / "OUT" / "logs"
    assert told == [
        f"a begins; its log is {logs / 'a.log'}", "a is done after 0 s",
        f"b begins; its log is {logs / 'b.log'}", "b has failed: it ended with exit code 3",
    ]  # fmt: skip


def test_the_time_left_is_no_less_than_that_of_steps_that_wait_for_each_other(tmp_path: Path) -> None:
    def step(name: str, *needs: Step, after: tuple[str, ...] = ()) -> Step:
        return Step(name, "kind", (), (tmp_path / name,), needs, after)

    a = step("a")
    b = step("b", a)
    steps = [a, b, step("c", after=("b",)), step("d")]
    assert time_left(steps, {"kind": 10}, 1) == TimeLeft(40, 0)
    assert time_left(steps, {"kind": 10}, 8) == TimeLeft(30, 0)
    (tmp_path / "a").touch()
    assert time_left(steps, {"kind": 10}, 8) == TimeLeft(20, 0)
    assert time_left(steps, {}, 8) == TimeLeft(0, 3)


def test_two_workers_do_two_steps_at_once(tmp_path: Path) -> None:
    # Each of the first two waits until the other has begun.
    script = "case NAME in a|b) while test $(wc -l < calls) -lt 2; do sleep 0.01; done;; esac; touch NAME"
    outcome = run_steps(make_steps(tmp_path, script), tmp_path / "OUT", n_workers=2)
    assert outcome.failures == []
    assert sorted(calls(tmp_path)[:2]) == ["a", "b"]


def test_two_processes_do_every_step_once_and_wait_for_each_other(tmp_path: Path) -> None:
    both = [process(tmp_path, "sleep 0.3; touch NAME") for _ in range(2)]
    assert [one.communicate()[0] for one in both] == ["[] {}\n"] * 2
    assert sorted(calls(tmp_path)) == ["a", "b", "c", "d"]


def test_a_failure_in_one_process_is_known_to_the_other(tmp_path: Path) -> None:
    # The step that fails waits until it is sure that the other process has begun, too.
    script = "test NAME != c || { until test -e go; do sleep 0.05; done; exit 1; }; touch NAME"
    both = [process(tmp_path, script) for _ in range(2)]
    wait_until(lambda: len(list(tmp_path.glob("ready_*"))) == 2 and "c" in calls(tmp_path))
    (tmp_path / "go").touch()
    outputs = sorted(one.communicate()[0] for one in both)
    assert outputs == [
        "['it ended with exit code 1'] {'d': 'c'}\n",
        "['it failed in another process of this benchmark'] {'d': 'c'}\n",
    ]
    assert sorted(calls(tmp_path)) == ["a", "b", "c"]


def test_a_killed_process_takes_its_commands_along_and_another_goes_on_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = process(tmp_path, "test -e go || sleep 6000; touch NAME")
    command = wait_for_call(tmp_path)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    wait_until(lambda: not is_running(command))
    assert not (tmp_path / "a").exists()
    (tmp_path / "go").touch()
    # That the process is gone is seen; a claim that is only old would be waited for, here for ever.
    monkeypatch.setattr(claims, "STALE_SECONDS", float("inf"))
    steps = make_steps(tmp_path, "test -e go || sleep 6000; touch NAME")
    assert run_steps(steps, tmp_path / "OUT").failures == []


@pytest.mark.parametrize("whom", ["command", "its watcher"])
def test_of_a_step_that_is_killed_nothing_goes_on(tmp_path: Path, whom: str) -> None:
    """A training that is killed alone, as for its memory, would leave the processes that load its data."""
    script = "sleep 6000 & echo $! > child; wait; touch NAME"

    def kill() -> None:
        wait_until(lambda: (tmp_path / "child").is_file() and bool((tmp_path / "child").read_text()))
        command = wait_for_call(tmp_path)
        parent = int(Path("/proc", str(command), "stat").read_text().split()[3])
        os.kill(command if whom == "command" else parent, signal.SIGKILL)

    killer = Thread(target=kill)
    killer.start()
    outcome = run_steps(make_steps(tmp_path, script)[:1], tmp_path / "OUT")
    killer.join()
    assert [failure.step for failure in outcome.failures] == ["a"]
    command, child = wait_for_call(tmp_path), int((tmp_path / "child").read_text())
    wait_until(lambda: not is_running(command) and not is_running(child))
    assert list((tmp_path / "OUT" / "claims").iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no process hears of its parent's end")
def test_a_command_ends_with_its_watcher_also_where_nobody_is_left_to_end_it(tmp_path: Path) -> None:
    watcher = subprocess.Popen(
        [sys.executable, "-I", watched.__file__, "sh", "-c", f"echo $$ > {tmp_path}/pid; exec sleep 6000"],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    wait_until(lambda: (tmp_path / "pid").is_file() and bool((tmp_path / "pid").read_text()))
    watcher.kill()
    watcher.communicate()
    command = int((tmp_path / "pid").read_text())
    wait_until(lambda: not is_running(command))


def test_only_what_is_needed_by_unfinished_results_is_needed(tmp_path: Path) -> None:
    def step(name: str, *needs: Step, is_result: bool = False) -> Step:
        return Step(name, "kind", (), (tmp_path / name,), needs, is_result=is_result)

    of_done, of_both = step("of done"), step("of both")
    of_left = step("of left", of_both)
    steps = [
        step("unused"), of_done, of_both, of_left,
        step("done", of_done, of_both, is_result=True), step("left", of_left, is_result=True),
    ]  # fmt: skip
    (tmp_path / "done").touch()
    assert [one.name for one in needed_steps(steps)] == ["of both", "of left", "done", "left"]


def test_a_step_whose_needs_were_dropped_does_not_wait_for_them(tmp_path: Path) -> None:
    """As when a result turns out to be outdated after what only finished results needed has been left out."""
    dropped = Step("dropped", "kind", (), (tmp_path / "dropped",))
    step = Step("late", "kind", ("touch", str(tmp_path / "late")), (tmp_path / "late",), (dropped,))
    assert run_steps([step], tmp_path).failures == []
    assert (tmp_path / "late").is_file()


def make_pair(folder: Path, **options: object) -> tuple[Step, Step]:
    """Two finished steps, the second of which is made from the first."""
    first = Step("first", "kind", (), (folder / "first",))
    second = Step("second", "kind", (), (folder / "second",), (first,), **options)  # type: ignore[arg-type]
    for step in (first, second):
        step.evidence[0].touch()
    return first, second


def make_newer(step: Step, than: Step, seconds: float = 60) -> None:
    moment = than.evidence[0].stat().st_mtime + seconds
    os.utime(step.evidence[0], (moment, moment))


def test_results_of_something_else_are_made_anew(tmp_path: Path) -> None:
    differences = ["of other outcomes"]
    _, second = make_pair(tmp_path, differences=lambda: differences, is_result=True)
    assert not second.is_done
    second.discard_result()
    assert not second.is_there
    second.evidence[0].touch()
    differences.clear()
    assert second.is_done


def test_what_is_older_than_what_it_was_made_from_is_made_anew(tmp_path: Path) -> None:
    first, second = make_pair(tmp_path)
    third = Step("third", "kind", (), (tmp_path / "third",), (second,))
    third.evidence[0].touch()
    make_newer(first, second, 1)  # no more than clocks differ
    assert second.is_done and third.is_done
    make_newer(first, second)
    assert not second.is_done
    assert not third.is_done, "though it is newer than the second, which is going to be made anew"
    make_newer(second, first)
    assert second.is_done and not third.is_done
    second.evidence[0].unlink()
    assert third.is_done, "what it was made from may be cleared away"


def test_a_training_is_never_made_anew_unasked(tmp_path: Path) -> None:
    first, second = make_pair(
        tmp_path, resumes=True, is_result=True, differences=lambda: ["of another split"]
    )
    make_newer(first, second)
    assert second.is_done
    second.discard_result()
    assert second.is_there
