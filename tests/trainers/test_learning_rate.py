"""The learning rate, against the iterations that Section 4.2 names."""

import pytest
import torch

from nnunetv2_adamss.trainers.learning_rate import StepwiseLR

STAGE_ONE = (1e-4, 5e-5, 1e-5)


def scheduler(n_epochs: int) -> StepwiseLR:
    optimizer = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    return StepwiseLR(optimizer, STAGE_ONE, n_epochs)


@pytest.mark.parametrize(
    ("iteration", "rate"),
    [(0, 1e-4), (3_999, 1e-4), (4_000, 5e-5), (7_999, 5e-5), (8_000, 1e-5), (9_999, 1e-5)],
)
def test_the_rate_drops_at_iterations_4000_and_8000(iteration: int, rate: float) -> None:
    assert scheduler(50).learning_rate(iteration // 200) == rate


def test_the_rate_is_a_function_of_the_epoch_alone() -> None:
    resumed = scheduler(50)
    resumed.step(45)
    assert resumed.optimizer.param_groups[0]["lr"] == 1e-5
    assert resumed.get_last_lr() == [1e-5]
    resumed.step(3)
    assert resumed.optimizer.param_groups[0]["lr"] == 1e-4


def test_a_shorter_training_drops_at_the_same_fractions() -> None:
    rates = [scheduler(10).learning_rate(epoch) for epoch in range(10)]
    assert rates == [1e-4] * 4 + [5e-5] * 4 + [1e-5] * 2
