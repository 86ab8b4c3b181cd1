"""The demo's own part: what it remembers, what it refuses, and that it stops at a failed step."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from nnunetv2_adamss.cli import demo
from nnunetv2_adamss.demo import run_demo as run
from nnunetv2_adamss.demo.demo_progress import DemoProgress
from nnunetv2_adamss.demo.demo_steps import LENGTH, DemoFolders, demo_steps
from nnunetv2_adamss.demo.time_left import seconds_left
from tests.cli.all_commands import PARSERS
from tests.processes import is_running, wait_until


@pytest.fixture(autouse=True)
def signal_handlers_of_a_terminal() -> Iterator[None]:
    handlers = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    # A shell starts its background jobs with interrupts ignored; a user's terminal does not.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for each, handler in handlers.items():
        signal.signal(each, handler)


def test_an_interrupted_command_ends_with_its_worker_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = tmp_path / "worker"
    waits = tmp_path / "waits"
    wait = subprocess.Popen.wait

    def say_so_and_wait(process: "subprocess.Popen[bytes]", *args: Any, **options: Any) -> int:
        waits.touch()
        return wait(process, *args, **options)

    monkeypatch.setattr(subprocess.Popen, "wait", say_so_and_wait)
    # The user interrupts it once the demo has begun to wait.
    until_it_waits = f"until test -e {waits}; do sleep 0.01; done"
    script = f"sleep 6000 & echo $! > {worker}; {until_it_waits}; kill -INT {os.getpid()}; wait"
    with pytest.raises(KeyboardInterrupt):
        run.run_command(["sh", "-c", script], {})
    wait_until(lambda: not is_running(int(worker.read_text())))


def test_a_demo_continues_with_what_is_done(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    progress = DemoProgress.begin_or_continue(folder, 6, 2)
    progress.seconds["Make"] = 1.5
    progress.save(folder)
    assert DemoProgress.begin_or_continue(folder, 6, 2) == DemoProgress(6, 2, {"Make": 1.5})
    assert [path.name for path in folder.iterdir()] == ["demo.json"]


def test_other_settings_are_refused_with_both_sides(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    DemoProgress(16, 2).save(tmp_path)
    assert demo.main(["-o", str(tmp_path), "-n", "17", "--n_test", "2", "-device", "cpu"]) == 2
    assert "holds a demo with -n 16 --n_test 2, but -n 17" in capsys.readouterr().err


def test_a_folder_with_something_else_in_it_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    assert demo.main(["-o", str(tmp_path), "-device", "cpu"]) == 2
    assert "is not empty and holds no demo" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize(
    ("options", "message"), [(["-n", "9"], "-n is 9"), (["--n_test", "0"], "--n_test is 0")]
)
def test_too_few_cases_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    assert demo.main(["-o", str(tmp_path / "demo"), "-device", "cpu", *options]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "demo").exists()


def test_a_failed_step_stops_the_demo_and_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commands: list[str] = []

    def fail_at_training(command: list[str], environment: dict[str, str]) -> int:
        commands.append(command[0])
        return 3 if command[0] == "nnUNetv2_train" else 0

    monkeypatch.setattr(run, "run_command", fail_at_training)
    folder = tmp_path / "demo"
    arguments = ["-o", str(folder), "-n", "10", "--n_test", "2", "-device", "cpu"]
    assert demo.main(arguments) == 1
    printed = capsys.readouterr()
    assert "=== Step 1 of 14: Make a synthetic PET/CT cohort (about 10 min left)" in printed.out
    assert "step 7 failed with exit code 3" in printed.err
    assert demo.main(arguments) == 1
    assert "=== Step 6 of 14: Make splits with events in each part (done before)" in capsys.readouterr().out
    assert commands == [
        "adamss_make_phantom_dataset", "adamss_verify_dataset", "nnUNetv2_plan_and_preprocess",
        "adamss_set_normalization", "nnUNetv2_preprocess", "adamss_make_splits", "nnUNetv2_train", "nnUNetv2_train",
    ]  # fmt: skip
    assert len(json.loads((folder / "demo.json").read_text())["seconds"]) == 6


def test_a_quiet_demo_prints_its_results_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "_print_results", lambda folders, seconds: print(len(seconds), "steps"))
    start = run.start_watched
    script = "echo epoch 1; echo WARNING: few cases >&2"
    monkeypatch.setattr(
        run, "start_watched", lambda command, **options: start(["sh", "-c", script], **options)
    )
    arguments = ["-o", str(tmp_path / "demo"), "-n", "10", "--n_test", "2", "-device", "cpu", "-q"]
    assert demo.main(arguments) == 0
    printed = capfd.readouterr()
    assert printed.out == "14 steps\n"
    assert printed.err == "WARNING: few cases\n" * 14


def test_a_demo_of_a_version_with_other_steps_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    DemoProgress(16, 2, {"Plan and preprocess it with nnU-Net": 9.0}).save(tmp_path)
    assert demo.main(["-o", str(tmp_path), "-n", "16", "--n_test", "2", "-device", "cpu"]) == 2
    assert "its step 'Plan and preprocess it with nnU-Net' is none of this" in capsys.readouterr().err


def test_the_commands_that_it_prints_are_in_todays_spelling(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for step in demo_steps(DemoFolders(tmp_path), 10, 2, "cpu"):
        command, *words = step.command
        if command in PARSERS:  # others are nnU-Net's
            PARSERS[command].parse_args(words)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("command", "fold"), [("nnUNetv2_train", "fold"), ("adamss_finetune_survival", "survival_fold")]
)
def test_a_training_that_was_cut_off_is_continued(tmp_path: Path, command: str, fold: str) -> None:
    def arguments() -> Sequence[str]:
        return next(step.command for step in demo_steps(folders, 10, 2, "cpu") if step.command[0] == command)

    folders = DemoFolders(tmp_path)
    assert "--c" not in arguments()
    folder = getattr(folders, fold)
    folder.mkdir(parents=True)
    (folder / "checkpoint_latest.pth").touch()
    assert "--c" in arguments()


def test_the_steps_take_together_what_readme_and_help_promise(tmp_path: Path) -> None:
    minutes = sum(step.seconds for step in demo_steps(DemoFolders(tmp_path), 40, 20, "cpu")) / 60
    assert f"about {minutes:.0f} minutes on two CPU cores" == LENGTH
    readme = Path(__file__).parents[2].joinpath("README.md").read_text()
    for text in (demo.build_parser().format_help(), readme):
        assert LENGTH in " ".join(text.split())


def test_the_time_left_follows_the_pace_of_what_is_done(tmp_path: Path) -> None:
    steps = demo_steps(DemoFolders(tmp_path), 40, 20, "cpu")
    whole, first = sum(step.seconds for step in steps), steps[0]
    assert seconds_left(steps, {}) == whole
    as_expected = seconds_left(steps, {first.title: first.seconds})
    assert as_expected == pytest.approx(whole - first.seconds)
    assert seconds_left(steps, {first.title: 2 * first.seconds}) > as_expected
    assert seconds_left(steps, {step.title: 1.0 for step in steps}) == 0
