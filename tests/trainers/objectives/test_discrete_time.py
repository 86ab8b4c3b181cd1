"""The objective of Eq. (1): the reduction over the intervals, and the weight of L2 beside it."""

import math
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.training_data.case_data import SurvivalTargets
from nnunetv2_adamss.trainers.objectives.discrete_time import DiscreteTime

N_INTERVALS = 10
# One patient whose event is in the third interval, and one who is lost after the first.
SURVIVED = torch.tensor([[1.0, 1, 0] + [0] * 7, [1.0] + [0] * 9])
FAILED = torch.tensor([[0.0, 0, 1] + [0] * 7, [0.0] * 10])
TARGETS = SurvivalTargets(SURVIVED, FAILED, torch.tensor([1.0, 0]), torch.tensor([250.0, 150]))


def objective(network: nn.Module, reduction: str, l2_weight: float) -> DiscreteTime:
    """The objective beside what it needs of a trainer."""
    trainer = SimpleNamespace(
        survival_fold=SimpleNamespace(config=SurvivalConfig(loss_reduction=reduction)),
        recipe=SimpleNamespace(l2_weight=l2_weight),
        bare_network=SimpleNamespace(squared_weights=lambda: network.weight.square().sum()),
    )
    return DiscreteTime(trainer)  # type: ignore[arg-type]


def total_gradient(reduction: str, l2_weight: float) -> Tensor:
    torch.manual_seed(0)
    network, features = nn.Linear(4, N_INTERVALS), torch.randn(2, 4)
    asked = objective(network, reduction, l2_weight)
    (asked.survival_loss(network(features), TARGETS) + asked.penalty()).backward()
    assert network.weight.grad is not None
    return network.weight.grad


@pytest.mark.parametrize(("reduction", "n"), [("sum", 1), ("mean", N_INTERVALS)])
def test_the_loss_of_even_odds_computed_by_hand(reduction: str, n: int) -> None:
    # Three intervals are known of the first patient and one of the second, each log 2.
    loss = objective(nn.Linear(1, 1), reduction, 0.1).survival_loss(torch.zeros(2, N_INTERVALS), TARGETS)
    assert loss.item() == pytest.approx((3 + 1) / 2 * math.log(2) / n)


def test_beside_the_mean_the_same_l2_weighs_as_many_times_more_as_there_are_intervals() -> None:
    torch.testing.assert_close(N_INTERVALS * total_gradient("mean", 0.1), total_gradient("sum", 1.0))
