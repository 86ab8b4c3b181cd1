import os
import signal
from collections.abc import Callable

import joblib
import pytest
import SimpleITK as sitk
from joblib import delayed

from nnunetv2_adamss.common.parallel import in_parallel, one_thread


@pytest.mark.parametrize("num_processes", [1, 2])
def test_every_task_gives_its_result(num_processes: int) -> None:
    tasks = [delayed(pow)(n, 2) for n in range(5)]
    assert sorted(in_parallel(tasks, num_processes)) == [0, 1, 4, 9, 16]


def test_a_cluster_that_gives_all_results_at_the_end_serves_too() -> None:
    with joblib.parallel_config("multiprocessing", n_jobs=1):
        assert list(in_parallel([delayed(abs)(-1)], None)) == [1]


def test_a_killed_process_is_an_error_that_says_what_to_do() -> None:
    kill: Callable[..., object] = delayed(_kill_this_process)
    with pytest.raises(
        ValueError, match="memory is full. What is done is kept: run again with fewer processes"
    ):
        list(in_parallel([kill() for _ in range(2)], 2))


def test_simpleitk_has_one_thread_inside_and_as_many_as_before_after_an_error() -> None:
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    with pytest.raises(KeyError), one_thread(sitk.ProcessObject):
        assert sitk.ProcessObject.GetGlobalDefaultNumberOfThreads() == 1
        raise KeyError
    assert sitk.ProcessObject.GetGlobalDefaultNumberOfThreads() == before


def _kill_this_process() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
