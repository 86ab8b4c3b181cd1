"""The options that every command has."""

import logging
import os

import pytest
import torch

from nnunetv2_adamss.cli.command_parser import CommandParser
from nnunetv2_adamss.cli.verbosity import results_only
from nnunetv2_adamss.cli.versions import versions
from nnunetv2_adamss.common.quiet import is_quiet, no_bar

LIBRARY = logging.getLogger("nnunetv2_adamss")


def run(*words: str) -> CommandParser:
    parser = CommandParser("adamss_x", "Do something.", "examples:")
    parser.parse_args(words)
    return parser


def test_the_versions_of_what_a_result_depends_on_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        run("--version")
    assert stopped.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["nnunetv2-adamss", "nnunetv2", "torch", "python", "device"]


@pytest.mark.parametrize(("has_apples", "device"), [(True, "mps"), (False, "cpu")])
def test_the_device_that_pytorch_finds_is_named(
    monkeypatch: pytest.MonkeyPatch, has_apples: bool, device: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: has_apples)
    assert versions().splitlines()[-1] == f"device {device}"


def test_a_quiet_command_shows_results_and_no_progress(capsys: pytest.CaptureFixture[str]) -> None:
    seen = []

    def work() -> None:
        seen.append((is_quiet(), no_bar()))
        with results_only():
            print("epoch 1")
        print("result")

    assert run("-q").run(work) == 0
    assert capsys.readouterr().out == "result\n"
    assert run().run(work) == 0
    assert capsys.readouterr().out == "epoch 1\nresult\n"
    assert seen == [(True, True), (False, None)]
    assert "TQDM_DISABLE" not in os.environ


def test_a_verbose_command_logs_and_says_where_an_error_comes_from(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        LIBRARY.debug("Reading it")
        raise ValueError("it is damaged.")

    assert run().run(fail) == 2
    assert not caplog.records
    assert run("-v").run(fail) == 2
    assert caplog.messages[0] == "Reading it"
    assert "in fail" in caplog.text
    assert LIBRARY.level == logging.NOTSET


def test_verbose_and_quiet_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("-v", "-q")
    assert "not allowed with argument" in capsys.readouterr().err
