"""Independent tasks in parallel processes, each of which writes its result to a file."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from joblib import Parallel
from joblib.externals.loky.process_executor import TerminatedWorkerError
from joblib.parallel import BACKENDS, DEFAULT_BACKEND, get_active_backend

from nnunetv2_adamss.common.processes import end_with


def in_parallel(tasks: Sequence[Any], num_processes: int | None) -> Iterator[Any]:
    """Yield the results of tasks in the order in which they are done.

    The processes end with this one, also where it is killed.

    Args:
        tasks: functions with their arguments, by joblib's ``delayed``.
        num_processes: tasks in parallel; None leaves it to joblib, whose ``parallel_config`` may name a cluster.

    Raises:
        ValueError: if a process was killed.
    """
    # A cluster's processes are not children of this one; the cluster ends them.
    local = isinstance(get_active_backend()[0], BACKENDS[DEFAULT_BACKEND])
    options = {"initializer": end_with, "initargs": (os.getpid(),)} if local else {}
    try:
        parallel = Parallel(n_jobs=num_processes, return_as="generator_unordered", **options)
    except ValueError:  # a backend, such as Ray's, that returns all results at the end
        parallel = Parallel(n_jobs=num_processes, **options)
    try:
        yield from parallel(tasks)
    except TerminatedWorkerError as error:
        raise ValueError(
            "A process was killed, most likely because the memory is full. What is done is kept: run again with "
            "fewer processes (-np, where the command has it)."
        ) from error


@contextmanager
def one_thread(process_object: Any) -> Iterator[None]:
    """Let SimpleITK's filters use one thread, since the tasks keep all cores busy.

    Args:
        process_object: ``SimpleITK.ProcessObject``, from the caller, so that this module need not import SimpleITK.
    """
    n_threads = process_object.GetGlobalDefaultNumberOfThreads()
    process_object.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        process_object.SetGlobalDefaultNumberOfThreads(n_threads)
