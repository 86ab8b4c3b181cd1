"""Steps run by snakemake: in order, in parallel, after failures and kills, and through an executor that submits."""

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from time import sleep

import pytest

from nnunetv2_adamss.benchmark import run_steps as run
from nnunetv2_adamss.benchmark.records import has_failed_in_part, record_file
from nnunetv2_adamss.benchmark.run_steps import run_steps
from nnunetv2_adamss.benchmark.steps import Step
from nnunetv2_adamss.benchmark.workflow import workflow_folder, write_workflow
from tests.benchmark.project import run_here
from tests.benchmark.shell_steps import calls, make_step, make_steps, wait_for_call
from tests.processes import is_running, wait_until

_CODE = """
import sys
from pathlib import Path
from nnunetv2_adamss.benchmark.run_steps import run_steps
from nnunetv2_adamss.cli.exit_code import exit_code
from tests.benchmark.shell_steps import make_steps

folder, script, profile = Path(sys.argv[1]), sys.argv[2], sys.argv[3] or None
steps = make_steps(folder, script)
sys.exit(exit_code("run", lambda: len(run_steps(steps, folder / "OUT", n_workers=2, profile=profile)[0])))
"""


def process(folder: Path, script: str, profile: str = "") -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", _CODE, str(folder), script, profile], stderr=subprocess.PIPE, text=True
    )


@pytest.fixture(params=["by snakemake", "by its stand-in"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests rely on the stand-in, so it must do as snakemake does."""
    if request.param == "by its stand-in":
        monkeypatch.setattr(run, "_snakemake", run_here)


@pytest.mark.usefixtures("engine")
def test_steps_are_done_after_those_that_they_need_and_only_once(tmp_path: Path) -> None:
    for _ in range(2):
        assert run_steps(make_steps(tmp_path, "touch NAME"), tmp_path / "OUT", n_workers=1) == ([], {})
    assert sorted(calls(tmp_path)[:2]) == ["a", "b"]
    assert calls(tmp_path)[2:] == ["c", "d"]


@pytest.mark.usefixtures("engine")
def test_what_needs_a_failed_step_is_left_out_and_the_others_are_done(tmp_path: Path) -> None:
    script = "test NAME = b && echo so it goes && exit 7; touch NAME"
    steps = [*make_steps(tmp_path, script), make_step(tmp_path, "e", "touch NAME")]
    failures, skipped = run_steps(steps, tmp_path / "OUT", n_workers=1)
    (failure,) = failures
    assert (failure.step, failure.reason) == ("b", "it ended with exit code 7")
    assert failure.last_lines[-1] == "so it goes"
    assert skipped == {"c": "b", "d": "b"}
    assert sorted(calls(tmp_path)) == ["a", "b", "e"]


@pytest.mark.usefixtures("engine")
def test_what_needs_a_step_that_failed_for_single_patients_is_done(tmp_path: Path) -> None:
    failures, skipped = run_steps(
        make_steps(tmp_path, "touch NAME; test NAME != b"), tmp_path / "OUT", n_workers=1
    )
    assert [failure.step for failure in failures] == ["b"] and skipped == {}
    assert sorted(calls(tmp_path)) == ["a", "b", "c", "d"]


@pytest.mark.usefixtures("engine")
def test_what_only_comes_after_a_failed_step_is_done_and_what_needs_it_is_not(tmp_path: Path) -> None:
    first = make_step(tmp_path, "first", "sleep 0.3; exit 1")
    later = make_step(tmp_path, "later", "touch NAME", after=("first", "of another run"))
    last = make_step(tmp_path, "last", "touch NAME", made_from=(first,))
    failures, skipped = run_steps([first, later, last], tmp_path / "OUT", n_workers=2)
    assert [failure.step for failure in failures] == ["first"]
    assert skipped == {"last": "first"}
    assert calls(tmp_path) == ["first", "later"]


@pytest.mark.usefixtures("engine")
def test_what_is_not_needed_is_not_done(tmp_path: Path) -> None:
    """Of what only finished results were made from, and of what is made from something newer, nothing is run."""
    absent = make_step(tmp_path, "absent", "touch NAME", is_result=False)
    made = make_step(tmp_path, "made", "touch NAME", made_from=(absent,))
    (tmp_path / "made").touch()
    run_steps([absent, made, make_step(tmp_path, "other", "touch NAME")], tmp_path / "OUT", n_workers=1)
    assert calls(tmp_path) == ["other"]


def test_what_failed_for_single_patients_is_tried_again_and_what_was_left_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "_snakemake", run_here)

    def step(script: str) -> Step:
        has_failed = partial(has_failed_in_part, record_file(tmp_path / "OUT", "a"), (tmp_path / "a",))
        return make_step(tmp_path, "a", script, has_failed_in_part=has_failed)

    for script in ("echo most > a; exit 1", "exit 1"):
        failures, _ = run_steps([step(script)], tmp_path / "OUT", n_workers=1)
        assert [failure.step for failure in failures] == ["a"]
        assert (tmp_path / "a").read_text() == "most\n"
        assert not step("").is_done
        sleep(0.1)  # Or the clock of the files could take the failure for one of the next run.
    assert run_steps([step("echo all > a")], tmp_path / "OUT", n_workers=1) == ([], {})
    assert step("").is_done
    run_steps([step("exit 1")], tmp_path / "OUT", n_workers=1)
    assert calls(tmp_path) == ["a"] * 3


def test_an_outdated_result_does_not_count_if_it_cannot_be_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "_snakemake", run_here)
    first = make_step(tmp_path, "first", "exit 1", is_result=False)
    second = make_step(tmp_path, "second", "", made_from=(first,), differences=lambda: ["of other outcomes"])
    (tmp_path / "second").touch()
    assert run_steps([first, second], tmp_path / "OUT", n_workers=1)[1] == {"second": "first"}
    assert not (tmp_path / "second").exists()


def test_two_workers_do_two_steps_in_parallel(tmp_path: Path) -> None:
    # Each of the first two waits until the other has begun.
    script = "case NAME in a|b) while test $(wc -l < calls) -lt 2; do sleep 0.01; done;; esac; touch NAME"
    assert run_steps(make_steps(tmp_path, script), tmp_path / "OUT", n_workers=2) == ([], {})


def test_a_second_process_is_refused_and_a_killed_one_ends_its_commands_and_can_be_followed_immediately(
    tmp_path: Path,
) -> None:
    script = "test -e go || sleep 6000; touch NAME"
    first = process(tmp_path, script)
    command = wait_for_call(tmp_path)
    with pytest.raises(ValueError, match=r"Another adamss_benchmark works in .*OUT; wait until it has ended"):
        run_steps(make_steps(tmp_path, script), tmp_path / "OUT", n_workers=1)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    wait_until(lambda: not is_running(command))
    assert not (tmp_path / "a").exists()
    (tmp_path / "go").touch()
    assert run_steps(make_steps(tmp_path, script), tmp_path / "OUT", n_workers=1) == ([], {})


def test_an_interrupted_process_ends_its_commands(tmp_path: Path) -> None:
    interrupted = process(tmp_path, "sleep 6000; touch NAME")
    command = wait_for_call(tmp_path)
    interrupted.send_signal(signal.SIGTERM)
    assert interrupted.communicate()[1] and interrupted.returncode == 143
    wait_until(lambda: not is_running(command))
    # It has unlocked the folder itself.
    assert not list((tmp_path / "OUT" / "workflow" / ".snakemake").glob("locks/*"))


def test_while_the_user_runs_snakemake_nothing_else_does(tmp_path: Path) -> None:
    steps = make_steps(tmp_path, "test -e go || sleep 6000; touch NAME")
    write_workflow(steps, tmp_path / "OUT", [])
    snakemake = subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--jobs", "1"],
        cwd=workflow_folder(tmp_path / "OUT"),
        stderr=subprocess.DEVNULL,
    )
    command = wait_for_call(tmp_path)
    with pytest.raises(ValueError, match=r"snakemake works in .*cd .*workflow && snakemake --unlock"):
        run_steps(steps, tmp_path / "OUT", n_workers=1)
    assert is_running(command)
    (tmp_path / "go").touch()
    os.kill(command, signal.SIGKILL)
    assert snakemake.wait() == 1


def test_a_profile_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match="snakemake ended with exit code 1 before the first step; it says why"
    ):
        run_steps(make_steps(tmp_path, "touch NAME"), tmp_path / "OUT", profile="nowhere")
    assert calls(tmp_path) == []


@pytest.fixture
def profile(tmp_path: Path) -> str:
    """On a cluster, submitting a job returns its number immediately, and the job runs elsewhere."""
    for name, script in {
        "submit": f'cd {tmp_path}; echo "$1" >> submitted; setsid sh "$2" > /dev/null 2>&1 & echo $!',
        "cancel": "for job; do kill -s TERM -- -$job; done",
    }.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{script}\n")
        (tmp_path / name).chmod(0o755)
    folder = tmp_path / "profile"
    folder.mkdir()
    (folder / "config.yaml").write_text(
        f'executor: cluster-generic\ncluster-generic-submit-cmd: "{tmp_path}/submit gpus={{resources.gpu}}"\n'
        f"cluster-generic-cancel-cmd: {tmp_path}/cancel\njobs: 2\nseconds-between-status-checks: 1\n"
    )
    return str(folder)


def test_an_interrupted_process_cancels_what_it_has_submitted(tmp_path: Path, profile: str) -> None:
    interrupted = process(tmp_path, "sleep 6000; touch NAME", profile)
    command = wait_for_call(tmp_path)
    interrupted.send_signal(signal.SIGINT)
    assert interrupted.communicate()[1] and interrupted.returncode == 130
    wait_until(lambda: not is_running(command))


def test_an_executor_submits_the_steps(tmp_path: Path, profile: str) -> None:
    steps = make_steps(tmp_path, "test NAME = b && exit 3; touch NAME")
    steps[0] = Step("a", (*steps[0].command, "cuda"), steps[0].evidence, is_result=True)
    failures, skipped = run_steps(steps, tmp_path / "OUT", profile=profile)
    assert [(one.step, one.reason) for one in failures] == [("b", "it ended with exit code 3")]
    assert skipped == {"c": "b", "d": "b"}
    assert sorted((tmp_path / "submitted").read_text().split()) == ["gpus=0", "gpus=1"]


def test_without_snakemake_one_sentence_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r'pip install "nnunetv2-adamss\[benchmark\]"'):
        run.check_snakemake()
