"""The Cox model that an anchored network starts from and adds to."""

from typing import Any

import pytest
import torch

from nnunetv2_adamss.networks.adamss import AdaMSSMultiTask, AdaMSSSurvival
from nnunetv2_adamss.networks.risk_anchor import ANCHORS
from nnunetv2_adamss.survival import config

PLAN: dict[str, Any] = {
    "n_modalities": 2, "n_intervals": 10, "strides": [[1, 1, 1], [2, 2, 2], [1, 2, 2]], "kernel_sizes": [[3, 3, 3]] * 3,
}  # fmt: skip
# The fused features of all three stages.
N_ENCODER_FEATURES = 16 + 32 + 64


def make_network(n_covariates: int = 3, anchor: str = "none", **changes: Any) -> AdaMSSSurvival:
    torch.manual_seed(0)
    return AdaMSSSurvival(**PLAN, n_covariates=n_covariates, anchor=anchor, **changes)


def inputs() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Image, where it is not padding, and three covariates of two cases."""
    generator = torch.Generator().manual_seed(0)
    valid = torch.ones(2, 1, 4, 8, 8)
    valid[0, ..., 4:] = 0
    image = torch.randn(2, 2, 4, 8, 8, generator=generator) * valid
    return image, valid, torch.tensor([[1.0, 1.0, 2.0], [0.0, -1.0, 0.0]])


@pytest.mark.parametrize(("anchor", "n_weights"), [("covariates", 3), ("image", N_ENCODER_FEATURES + 3)])
def test_an_anchor_lowers_every_logit_by_a_weighted_sum_of_its_inputs(anchor: str, n_weights: int) -> None:
    published, anchored = make_network().eval(), make_network(anchor=anchor).eval()
    assert anchored.anchor is not None
    weights = torch.linspace(-1, 1, n_weights)
    anchored.start_from(weights.tolist(), [0.0] * 10)
    anchored.load_state_dict(published.state_dict(), strict=False)
    image, valid, covariates = inputs()
    # Every stage halves the last axis, of which the first case has half.
    means = [
        torch.stack(
            [features[0, ..., : features.shape[-1] // 2].mean((1, 2, 3)), features[1].mean((1, 2, 3))]
        )
        for features in published.encoder_features(image)
    ]
    risk = torch.cat([*means, covariates], dim=1)[:, -n_weights:] @ weights
    torch.testing.assert_close(
        anchored(image, valid, covariates), published(image, valid, covariates) - risk[:, None]
    )


def test_the_settings_of_a_training_offer_the_anchors_that_networks_have() -> None:
    assert config.ANCHORS == ANCHORS


@pytest.mark.parametrize("network", [AdaMSSSurvival, AdaMSSMultiTask])
@pytest.mark.parametrize("anchor", ["foo", "", None])
def test_an_anchor_of_another_name_is_refused(network: type[AdaMSSSurvival], anchor: Any) -> None:
    with pytest.raises(ValueError, match=rf"There is no anchor {anchor!r}, only none, covariates, image\."):
        network(**PLAN, n_covariates=3, anchor=anchor)


def test_neither_dropout_nor_the_penalty_touches_an_anchor() -> None:
    network = make_network(anchor="covariates").train()
    network.start_from([1.0, -2.0, 0.5], [0.0] * 10)
    logits = network(*inputs())
    torch.testing.assert_close(logits, torch.tensor([[0.0], [-2.0]]).expand(2, 10))
    torch.testing.assert_close(network.squared_weights(), network.survival_head.hidden.weight.square().sum())


def test_an_anchor_without_inputs_is_none_and_leaves_the_published_network() -> None:
    network = make_network(n_covariates=0, anchor="covariates")
    assert network.anchor is None
    assert set(network.state_dict()) == set(make_network(n_covariates=0).state_dict())


def test_a_network_for_both_tasks_can_have_an_anchor() -> None:
    network = AdaMSSMultiTask(**PLAN, n_covariates=3, anchor="covariates").eval()
    network.start_from([1.0, -2.0, 0.5], [0.0] * 10)
    torch.testing.assert_close(network(*inputs()).survival, torch.tensor([[0.0], [-2.0]]).expand(2, 10))


def test_stage_one_leaves_the_anchor_alone() -> None:
    network = make_network(anchor="image")
    network.start_from([0.5] * (N_ENCODER_FEATURES + 3), [0.0] * 10)
    trunk = {
        name: torch.zeros_like(weights)
        for name, weights in network.state_dict().items()
        if name.startswith(("encoder.", "decoder."))
    }
    assert network.load_stage_one(trunk) == len(trunk)
    assert network.anchor is not None
    assert torch.equal(network.anchor.risk.weight, torch.full((1, N_ENCODER_FEATURES + 3), 0.5))
