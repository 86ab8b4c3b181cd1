"""How commands end."""

import subprocess
import sys

import pytest

from nnunetv2_adamss.cli.exit_code import exit_code


def test_a_command_ends_with_0_or_what_it_returns(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("adamss_x", lambda: None) == 0
    assert exit_code("adamss_x", lambda: 1) == 1
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (ValueError("no fold 7."), 2, "adamss_x: no fold 7.\n"),
        (OSError("disk full"), 2, "adamss_x: disk full\n"),
        (KeyboardInterrupt(), 130, "\nadamss_x: go on with --c.\n"),
    ],
)
def test_a_users_error_and_a_stop_are_one_sentence_each(
    raised: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def run() -> None:
        raise raised

    assert exit_code("adamss_x", run, "go on with --c.") == code
    assert capsys.readouterr().err == said


def test_a_bug_is_not_taken_for_a_users_error() -> None:
    with pytest.raises(ZeroDivisionError):
        exit_code("adamss_x", lambda: 1 // 0)


_POOLS = """
import multiprocessing
from nnunetv2_adamss.cli.exit_code import exit_code

def run():
    for _ in range(400):
        # As nnU-Net lists files: ended with SIGTERM when its processes may have just begun.
        with multiprocessing.get_context("fork").Pool(4) as pool:
            pool.map(abs, [1])

raise SystemExit(exit_code("command", run))
"""


def test_forked_workers_end_when_their_pool_does() -> None:
    done = subprocess.run([sys.executable, "-c", _POOLS], check=False)
    assert done.returncode == 0
