"""Threads of a training: nnU-Net's number, the user's if one is set, and the caller's again afterwards."""

import multiprocessing

import pytest
import torch

from nnunetv2_adamss.trainers.threads import threads_of_training


@pytest.mark.parametrize(
    ("device", "omp_num_threads", "expected"),
    [
        ("cpu", None, multiprocessing.cpu_count()),
        ("cpu", "3", 5),
        ("cuda", None, 1),
        ("cuda", "3", 1),
        ("mps", None, 5),
    ],
)
def test_a_training_on_the_cpu_takes_all_of_it_unless_the_user_has_said_how_much(
    monkeypatch: pytest.MonkeyPatch, device: str, omp_num_threads: str | None, expected: int
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if omp_num_threads is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", omp_num_threads)
    before = torch.get_num_threads()
    torch.set_num_threads(5)
    try:
        with threads_of_training(device):
            assert torch.get_num_threads() == expected
        assert torch.get_num_threads() == 5
        with pytest.raises(KeyboardInterrupt), threads_of_training(device):
            raise KeyboardInterrupt
        assert torch.get_num_threads() == 5
    finally:
        torch.set_num_threads(before)
