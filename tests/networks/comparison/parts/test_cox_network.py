"""From log hazards to survival, and the head."""

import pytest
import torch

from nnunetv2_adamss.networks.comparison.parts.cox_network import CoxHead, CoxNetwork
from tests.networks.comparison.small_networks import make_network


@pytest.fixture
def network() -> CoxNetwork:
    network = make_network("mdsn_proxy")
    assert isinstance(network, CoxNetwork)
    return network


def test_survival_is_the_baselines_to_the_power_of_the_hazard(network: CoxNetwork) -> None:
    network.baseline_hazard.copy_(torch.tensor([0.1, 0.0, 0.2, 0.3, 0.4]))
    log_hazard = torch.tensor([[-1.0], [0.5]], dtype=torch.float64)
    expected = torch.exp(-network.baseline_hazard.double()) ** torch.exp(log_hazard)
    torch.testing.assert_close(network.survival_prob(log_hazard), expected)


def test_without_a_baseline_every_survival_probability_is_one(network: CoxNetwork) -> None:
    assert network.survival_prob(torch.randn(3, 1)).unique().tolist() == [1.0]


def test_extreme_hazards_give_0_and_1(network: CoxNetwork) -> None:
    network.baseline_hazard.copy_(torch.tensor([0.1, 0.0, 0.2, 0.3, 0.4]))
    prob = network.survival_prob(torch.tensor([[1e4], [-1e4]]))
    assert prob.tolist() == [[0.0, 1.0, 0.0, 0.0, 0.0], [1.0] * 5]


def test_the_baseline_travels_with_the_weights(network: CoxNetwork) -> None:
    network.baseline_hazard.fill_(0.5)
    other = make_network("mdsn_proxy")
    other.load_state_dict(network.state_dict())
    assert other.baseline_hazard.tolist() == [0.5] * 5


def test_the_head_is_the_written_out_formula() -> None:
    head = CoxHead([3, 2], 4).eval()
    first, second, covariates = torch.randn(5, 3), torch.randn(5, 2), torch.randn(5, 4)
    hidden = [
        torch.clamp(x @ layers[1].weight.T + layers[1].bias, min=0)
        for x, layers in zip((first, second), head.compress, strict=True)
    ]
    expected = torch.cat([*hidden, covariates], 1) @ head.log_hazard.weight.T + head.log_hazard.bias
    torch.testing.assert_close(head([first, second], covariates), expected)


def test_the_penalty_is_on_all_three_weight_matrices_without_biases() -> None:
    head = CoxHead([3, 2], 4)
    matrices = [p.detach() for p in head.parameters() if p.ndim == 2]
    assert len(matrices) == 3
    assert head.squared_weights().item() == pytest.approx(
        sum(float((m**2).sum()) for m in matrices), rel=1e-5
    )
