"""The Stage-II network: size, transfer from Stage I, padding, gradients, compile, mixed precision."""

import pytest
import torch

from nnunetv2_adamss.networks.adamss import AdaMSS, AdaMSSSurvival

SMALL = {"strides": [[1, 1, 1], [2, 2, 2], [1, 2, 2]], "kernel_sizes": [[3, 3, 3]] * 3}
PAPER = {"strides": [[1, 1, 1]] + [[2, 2, 2]] * 4, "kernel_sizes": [[3, 3, 3]] * 5}


def make_network(n_covariates: int = 0, seed: int = 0, n_modalities: int = 2) -> AdaMSSSurvival:
    torch.manual_seed(seed)
    return AdaMSSSurvival(n_modalities, 10, n_covariates, **SMALL)


def test_the_published_network_has_18_470_982_parameters() -> None:
    network = AdaMSSSurvival(2, 10, 0, **PAPER)
    assert sum(parameter.numel() for parameter in network.parameters()) == 18_470_982


def test_the_head_sees_240_features_of_the_published_network_and_the_covariates() -> None:
    assert AdaMSSSurvival(2, 10, 7, **PAPER).survival_head.hidden.in_features == 240 + 7


def test_every_tensor_of_encoder_and_decoder_comes_from_stage_one() -> None:
    torch.manual_seed(1)
    stage_one = AdaMSS(2, 3, **SMALL).state_dict()
    network = make_network()
    n_taken = network.load_stage_one(stage_one)
    own = network.state_dict()
    from_stage_one = [name for name in own if name in stage_one and torch.equal(own[name], stage_one[name])]
    assert set(from_stage_one) == {name for name in own if not name.startswith("survival_head.")}
    assert n_taken == len(from_stage_one) == len(stage_one) - 2


def test_a_transfer_that_would_skip_a_part_of_the_decoder_is_refused() -> None:
    weights = AdaMSS(2, 2, **SMALL).state_dict()
    weights.pop(next(name for name in weights if name.startswith("decoder.blocks.")))
    network = make_network()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(ValueError, match="1 missing"):
        network.load_stage_one(weights)
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())


def test_a_transfer_from_a_network_with_something_else_in_it_is_refused() -> None:
    weights = AdaMSS(2, 2, **SMALL).state_dict() | {"encoder.extra": torch.zeros(1)}
    with pytest.raises(ValueError, match="1 unknown"):
        make_network().load_stage_one(weights)


def test_every_weight_gets_a_gradient() -> None:
    network = make_network(n_covariates=2)
    # Without dropout, which would leave some weights of the head without a gradient.
    network.survival_head.eval()
    logits = network(torch.randn(2, 2, 8, 16, 16), torch.ones(2, 1, 8, 16, 16), torch.randn(2, 2))
    logits.sum().backward()
    without = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert without == []


def test_three_modalities_have_a_branch_each() -> None:
    network = make_network(n_modalities=3)
    assert network(torch.randn(1, 3, 8, 8, 8), torch.ones(1, 1, 8, 8, 8), torch.zeros(1, 0)).shape == (1, 10)


def test_a_region_that_the_strides_do_not_divide_is_refused() -> None:
    with pytest.raises(ValueError, match="must be a multiple"):
        make_network()(torch.randn(1, 2, 8, 8, 9), torch.ones(1, 1, 8, 8, 9), torch.zeros(1, 0))


@pytest.mark.slow
def test_the_network_compiles_as_one_graph() -> None:
    network = make_network().eval()
    inputs = torch.randn(1, 2, 8, 8, 8), torch.ones(1, 1, 8, 8, 8), torch.zeros(1, 0)
    compiled = torch.compile(network, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(*inputs), network(*inputs), rtol=1e-4, atol=1e-5)


def test_mixed_precision_gives_nearly_the_same_logits() -> None:
    network = make_network().eval()
    inputs = torch.randn(1, 2, 8, 8, 8), torch.ones(1, 1, 8, 8, 8), torch.zeros(1, 0)
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = network(*inputs)
    with torch.no_grad():
        exact = network(*inputs)
    # bfloat16 has 8 bits.
    assert (mixed.float() - exact).abs().max() < 0.01 * exact.abs().max()


def test_gates_and_attention_can_be_looked_at_in_stage_two_too() -> None:
    network = make_network().eval()
    inputs = torch.randn(1, 2, 8, 8, 8), torch.ones(1, 1, 8, 8, 8), torch.zeros(1, 0)
    with torch.no_grad(), network.interpreted() as seen:
        network(*inputs)
    assert [w.shape[1] for w in seen.w_fuse] == [16, 32, 64]
    assert all(w.unique().tolist() == [0.5] for w in seen.w_fuse)
    assert [a.shape[2:] for a in seen.attention] == [(8, 8, 8), (4, 4, 4)]
