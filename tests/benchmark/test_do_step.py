"""A job of the workflow: what it runs, with which GPU, and what it says of its end."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from nnunetv2_adamss.benchmark import do_step
from nnunetv2_adamss.benchmark.records import read_record, record_file
from nnunetv2_adamss.benchmark.steps import Step
from nnunetv2_adamss.benchmark.workflow import lock_of, log_of, workflow_folder, write_workflow
from nnunetv2_adamss.common import watched
from nnunetv2_adamss.common.file_locks import is_locked
from tests.benchmark.shell_steps import calls, make_step, wait_for_call
from tests.processes import is_running, wait_until


def do(folder: Path, *steps: Step, gpus: tuple[str, ...] = ()) -> int:
    """Do the last one; the exit code."""
    write_workflow(steps, folder / "OUT", gpus)
    exit_code = do_step.main(workflow_folder(folder / "OUT") / "steps.json", steps[-1].file_name)
    assert is_marked(folder, steps[-1]) == (exit_code == 0)
    return exit_code


def job(folder: Path, name: str) -> "subprocess.Popen[bytes]":
    file = workflow_folder(folder / "OUT") / "steps.json"
    return subprocess.Popen([sys.executable, "-m", "nnunetv2_adamss.benchmark.do_step", str(file), name])


def is_marked(folder: Path, step: Step) -> bool:
    return (workflow_folder(folder / "OUT") / "done" / step.file_name).exists()


def record(folder: Path, name: str = "a") -> dict[str, Any]:
    """Without the name of the run."""
    return {
        key: value for key, value in read_record(record_file(folder / "OUT", name)).items() if key != "run"
    }


def test_a_step_leaves_a_log_and_a_record(tmp_path: Path) -> None:
    assert do(tmp_path, make_step(tmp_path, "a", "echo so it goes; touch NAME")) == 0
    log = log_of(tmp_path / "OUT", make_step(tmp_path, "a", "")).read_text()
    assert log.startswith("$ sh -c ") and log.endswith("\nso it goes\n")
    assert record(tmp_path) == {"exit_code": 0, "reason": ""}


def test_a_failed_step_says_why(tmp_path: Path) -> None:
    assert do(tmp_path, make_step(tmp_path, "a", "exit 7")) == 1
    assert record(tmp_path) == {"exit_code": 7, "reason": "it ended with exit code 7"}


def test_a_command_that_leaves_nothing_has_failed_though_it_says_otherwise(tmp_path: Path) -> None:
    assert do(tmp_path, make_step(tmp_path, "a", "true")) == 1
    assert record(tmp_path)["reason"] == f"it ended without an error, but did not write {tmp_path / 'a'}"


def test_a_failure_for_single_patients_does_not_stop_later_steps_and_is_recorded(tmp_path: Path) -> None:
    assert do(tmp_path, make_step(tmp_path, "a", "touch NAME; exit 1")) == 0
    assert record(tmp_path)["exit_code"] == 1


def test_a_failure_does_not_stop_steps_that_only_come_after_it(tmp_path: Path) -> None:
    failing, later = make_step(tmp_path, "a", "exit 1"), make_step(tmp_path, "later", "", after=("a",))
    assert do(tmp_path, later, failing) == 0
    assert record(tmp_path)["exit_code"] == 1


def test_a_step_does_not_begin_without_what_it_needs(tmp_path: Path) -> None:
    first = make_step(tmp_path, "a", "exit 1")
    assert do(tmp_path, first, make_step(tmp_path, "b", "touch NAME", made_from=(first,))) == 1
    assert calls(tmp_path) == [] and record(tmp_path, "b") == {}


def test_a_finished_training_is_not_repeated_and_one_that_was_begun_is_resumed(tmp_path: Path) -> None:
    command = ("sh", "-c", f"echo $0 >> {tmp_path}/calls; touch {tmp_path}/a")
    training = Step("a", command, (tmp_path / "a",), resumes=True, is_result=True)
    (tmp_path / "checkpoint_latest.pth").touch()
    for _ in range(2):
        assert do(tmp_path, training) == 0
    assert calls(tmp_path) == ["--c"]


def test_a_step_sees_the_folders_of_its_seed_and_runs_where_the_benchmark_was_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("nnUNet_raw", "of the user")
    monkeypatch.setenv("nnUNet_results", "of the user")
    monkeypatch.chdir(tmp_path)
    own = str(tmp_path / "seed_7")
    step = Step(
        "a",
        ("sh", "-c", 'echo "$nnUNet_raw, $nnUNet_results" > a; pwd >> a'),
        (tmp_path / "a",),
        environment={"nnUNet_results": own},
    )
    assert do(tmp_path, step) == 0
    assert (tmp_path / "a").read_text() == f"of the user, {own}\n{tmp_path}\n"
    assert (tmp_path / "seed_7").is_dir()


def test_each_of_two_steps_has_a_gpu_of_its_own(tmp_path: Path) -> None:
    script = "echo $CUDA_VISIBLE_DEVICES > NAME.gpu; until test -e a.gpu -a -e b.gpu; do sleep 0.02; done; touch NAME"
    steps = [make_step(tmp_path, name, f"{script}; : cuda") for name in "ab"]
    steps = [Step(s.name, (*s.command, "cuda"), s.evidence, is_result=True) for s in steps]
    write_workflow(steps, tmp_path / "OUT", ["3", "5"])
    both = [job(tmp_path, name) for name in "ab"]
    assert [one.wait() for one in both] == [0, 0]
    assert {(tmp_path / f"{name}.gpu").read_text() for name in "ab"} == {"3\n", "5\n"}


def test_a_step_without_cuda_takes_no_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "as it was")
    assert do(tmp_path, make_step(tmp_path, "a", "echo $CUDA_VISIBLE_DEVICES > NAME"), gpus=("3",)) == 0
    assert (tmp_path / "a").read_text() == "as it was\n"


def test_a_step_waits_for_what_is_left_of_an_earlier_run(tmp_path: Path) -> None:
    step = make_step(tmp_path, "a", "until test -e go; do sleep 0.02; done; touch NAME")
    write_workflow([step], tmp_path / "OUT", [])
    first = job(tmp_path, "a")
    wait_for_call(tmp_path)
    assert is_locked(lock_of(tmp_path / "OUT", step))
    second = job(tmp_path, "a")
    (tmp_path / "go").touch()
    assert (first.wait(), second.wait()) == (0, 0)
    assert calls(tmp_path) == ["a", "a"]
    assert not is_locked(lock_of(tmp_path / "OUT", step))


@pytest.mark.parametrize("killed", ["command", "its watcher"])
def test_a_killed_step_leaves_nothing_running(tmp_path: Path, killed: str) -> None:
    """A training that is killed alone, as for its memory, would leave the processes that load its data."""
    step = make_step(tmp_path, "a", "sleep 6000 & echo $! > child; wait; touch NAME")

    def kill() -> None:
        wait_until(lambda: (tmp_path / "child").is_file() and bool((tmp_path / "child").read_text()))
        command = wait_for_call(tmp_path)
        parent = int(Path("/proc", str(command), "stat").read_text().split()[3])
        os.kill(command if killed == "command" else parent, signal.SIGKILL)

    killer = Thread(target=kill, daemon=True)
    killer.start()
    assert do(tmp_path, step) == 1
    killer.join()
    command, child = wait_for_call(tmp_path), int((tmp_path / "child").read_text())
    wait_until(lambda: not is_running(command) and not is_running(child))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no process hears of its parent's end")
def test_a_command_ends_with_its_watcher_even_if_no_process_is_left_to_end_it(tmp_path: Path) -> None:
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


def test_the_list_of_steps_says_all_that_a_job_needs(tmp_path: Path) -> None:
    first = make_step(tmp_path, "a", "touch NAME")
    last = make_step(
        tmp_path, "the last", "", made_from=(first,), after=("a", "of another run"), is_result=False
    )
    write_workflow([first, last], tmp_path / "OUT", [])
    content = json.loads((workflow_folder(tmp_path / "OUT") / "steps.json").read_text())["steps"]
    assert list(content) == ["a", "the_last"]
    assert content["the_last"]["needs"] == ["a"] and content["the_last"]["after"] == ["a"]
    assert [one["is_optional"] for one in content.values()] == [True, False]
    assert [one["is_result"] for one in content.values()] == [True, False]


def test_what_is_done_is_marked_and_what_has_to_be_made_again_is_removed(tmp_path: Path) -> None:
    done, other = make_step(tmp_path, "done", ""), make_step(tmp_path, "other", "", differences=lambda: ["x"])
    partial = make_step(tmp_path, "partial", "", has_failed_in_part=lambda: True)
    steps = (done, other, partial)
    for step in steps:
        step.evidence[0].touch()
    for _ in range(2):
        write_workflow(steps, tmp_path / "OUT", [])
        assert [step.evidence[0].exists() for step in steps] == [True, False, True]
        assert [is_marked(tmp_path, step) for step in steps] == [True, False, False]
