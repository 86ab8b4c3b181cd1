"""Nothing is left behind: whatever ends a process, its workers and commands end with it."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nnunetv2_adamss.common.processes import end_watched, start_watched
from tests.processes import descendants_of, is_running, wait_until

_PRELUDE = """
import signal, sys, time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from joblib import delayed
from nnunetv2_adamss.cli.exit_code import exit_code
from nnunetv2_adamss.common.parallel import in_parallel
from nnunetv2_adamss.common.processes import end_watched, start_watched

# A shell starts its background jobs with interrupts ignored; a user's terminal does not.
signal.signal(signal.SIGINT, signal.default_int_handler)

def work(n):
    Path(sys.argv[1], str(n)).touch()
    time.sleep(6000)
"""
_IN_PARALLEL = """
def main():
    list(in_parallel([delayed(work)(n) for n in range(5)], 2))
"""
_COMMAND = """
def main():
    process = start_watched(["sh", "-c", f"touch {sys.argv[1]}/0 {sys.argv[1]}/1; sleep 6000 & sleep 6000"])
    try:
        process.wait()
    except BaseException:
        end_watched(process)
        raise
"""
_END = """
sys.exit(exit_code("adamss_x", main, "stopped; run it again."))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="it looks for processes in /proc")
@pytest.mark.parametrize("kind", [_IN_PARALLEL, _COMMAND], ids=["in_parallel", "command"])
@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_all_processes_end_with_the_one_that_started_them(
    tmp_path: Path, kind: str, stop: signal.Signals
) -> None:
    script = tmp_path / "script.py"
    script.write_text(_PRELUDE + kind + _END)
    began = tmp_path / "began"
    began.mkdir()
    parent = subprocess.Popen(
        [sys.executable, str(script), str(began)],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_until(lambda: len(list(began.iterdir())) >= 2)
    children = descendants_of(parent.pid)
    assert len(children) >= 2
    parent.send_signal(stop)
    parent.wait()
    wait_until(lambda: not any(map(is_running, children)))
    _, said = parent.communicate()
    if stop is signal.SIGKILL:
        assert parent.returncode == -signal.SIGKILL
    else:
        assert parent.returncode == 128 + stop
        assert said == "\nadamss_x: stopped; run it again.\n"


def test_a_command_that_ends_by_itself_gives_its_exit_code() -> None:
    process = start_watched(["sh", "-c", "exit 7"], stdout=subprocess.DEVNULL)
    assert process.wait() == 7
    end_watched(process)
