"""Losses, networks and curves have the same sign: each network learns who dies early, against its initial opinion."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from nnunetv2_adamss.metrics.concordance import harrell_c
from nnunetv2_adamss.networks.comparison.parts.cox_network import CoxNetwork
from nnunetv2_adamss.networks.survival_network import SurvivalNetwork, survival_outputs
from nnunetv2_adamss.survival.cox.baseline_hazard import baseline_hazard
from nnunetv2_adamss.survival.cox.partial_likelihood import cox_loss
from nnunetv2_adamss.survival.discrete_time.mtlr_loss import mtlr_loss
from nnunetv2_adamss.trained_folds.prediction import SurvivalPrediction
from tests.networks.comparison.small_networks import N_INTERVALS, NETWORKS, make_network

N_CASES = 8
N_STEPS = 15
SIDE = 16


def images() -> tuple[Tensor, Tensor]:
    """PET/CT of which the PET has another level in each case, and the levels."""
    generator = torch.Generator().manual_seed(0)
    level = torch.linspace(0, 2, N_CASES)[torch.randperm(N_CASES, generator=generator)]
    image = 0.5 * torch.randn((N_CASES, 2, SIDE, SIDE, SIDE), generator=generator)
    image[:, 1] += level.reshape(-1, 1, 1, 1)
    return image, level


def edges_of(time: Tensor) -> NDArray[np.float64]:
    return np.append(0.0, np.quantile(time.numpy(), np.arange(1, N_INTERVALS + 1) / N_INTERVALS))


def predict(network: SurvivalNetwork, image: Tensor) -> Tensor:
    return survival_outputs(network(image, torch.ones_like(image[:, :1]), torch.zeros(N_CASES, 0)))


def c_index(
    network: SurvivalNetwork, image: Tensor, event: Tensor, time: Tensor, edges: NDArray[np.float64]
) -> float:
    network.eval()
    with torch.no_grad():
        outputs = predict(network, image)
    if isinstance(network, CoxNetwork):
        increases = baseline_hazard(outputs[:, 0].double().numpy(), event.numpy(), time.numpy(), edges)
        network.baseline_hazard.copy_(torch.from_numpy(increases))
    prob = network.survival_prob(outputs.double()).numpy()
    risk_score = SurvivalPrediction(list(map(str, range(N_CASES))), prob, edges).risk_score
    found = harrell_c(risk_score, event.numpy(), time.numpy()).c_index
    assert found is not None
    return found


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_learns_to_rank_patients_by_the_level_of_their_pet(name: str) -> None:
    network = make_network(name, side=SIDE)
    image, level = images()
    event, time = torch.arange(N_CASES) % 4 != 0, 100 * torch.exp(level)
    if c_index(network, image, event, time, edges_of(time)) > 0.5:
        # Whom the untrained network takes for the first to die shall be the last.
        time = 100 * torch.exp(-level)
    edges = edges_of(time)
    before = c_index(network, image, event, time, edges)
    network.train()
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(N_STEPS):
        outputs = predict(network, image)
        if isinstance(network, CoxNetwork):
            loss = cox_loss(outputs[:, 0], event, time)
        else:
            loss = mtlr_loss(outputs, event, time, torch.from_numpy(edges))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert before <= 0.5
    assert c_index(network, image, event, time, edges) > 0.9
