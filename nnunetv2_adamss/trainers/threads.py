"""Number of threads that torch uses while a network is trained."""

import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def threads_of_training(device: str) -> Iterator[None]:
    """Use as many threads as ``nnUNetv2_train``, and afterwards as many as before.

    These are all CPUs, or one beside a GPU. Unlike there, ``OMP_NUM_THREADS`` is respected if set: trainings that
    share a machine slow each other down several times if each takes all CPUs.

    Args:
        device: the kind of device that is trained on, such as ``"cpu"`` or ``"cuda"``.
    """
    before = torch.get_num_threads()
    if device == "cuda":
        torch.set_num_threads(1)
    elif device == "cpu" and "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(multiprocessing.cpu_count())
    try:
        yield
    finally:
        torch.set_num_threads(before)
