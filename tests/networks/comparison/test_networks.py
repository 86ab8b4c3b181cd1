"""What all comparison networks must do: any size, no covariates, padding, gradients, mixed precision."""

import pytest
import torch

from nnunetv2_adamss.networks.comparison.tmss import TMSS
from nnunetv2_adamss.networks.registry import build_survival_network
from nnunetv2_adamss.networks.survival_network import (
    MultiTaskOutput,
    NetworkSizes,
    survival_outputs,
)
from tests.networks.comparison.small_networks import N_INTERVALS, NETWORKS, make_network

N_OUTPUTS = {"deepmts": 1, "mdsn_proxy": 1, "deepmtlr": N_INTERVALS, "tmss": N_INTERVALS}
SEGMENTS = {"deepmts", "tmss"}
every_network = pytest.mark.parametrize("name", NETWORKS)


def inputs(
    n_covariates: int = 0, size: tuple[int, ...] = (8, 24, 24), n_cases: int = 2
) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(1)
    return (
        torch.randn((n_cases, 2, *size), generator=generator),
        torch.ones((n_cases, 1, *size)),
        torch.randn((n_cases, n_covariates), generator=generator),
    )


@every_network
@pytest.mark.parametrize("size", [(8, 24, 24), (2, 12, 4), (24, 4, 20)])
def test_outputs_have_their_shapes_for_images_of_any_size(name: str, size: tuple[int, ...]) -> None:
    output = make_network(name, 3)(*inputs(3, size))
    assert survival_outputs(output).shape == (2, N_OUTPUTS[name])
    assert torch.isfinite(survival_outputs(output)).all()
    assert isinstance(output, MultiTaskOutput) == (name in SEGMENTS)
    if isinstance(output, MultiTaskOutput):
        assert output.segmentation.shape == (2, 1, *size)


@every_network
def test_survival_is_a_probability_for_each_interval(name: str) -> None:
    network = make_network(name).eval()
    prob = network.survival_prob(survival_outputs(network(*inputs())).double())
    assert prob.shape == (2, N_INTERVALS)
    assert prob.dtype == torch.float64
    assert ((prob >= 0) & (prob <= 1)).all()


@every_network
def test_every_weight_gets_a_gradient_from_survival_or_segmentation(name: str) -> None:
    # In evaluation mode: without dropout, and batch normalisation does not swallow the biases.
    network = make_network(name, 2).eval()
    output = network(*inputs(2))
    loss = survival_outputs(output).sum()
    if isinstance(output, MultiTaskOutput):
        loss = loss + output.segmentation.square().sum()
    loss.backward()
    without = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert without == []


@every_network
def test_dropout_works_in_training_and_not_in_evaluation(name: str) -> None:
    network = make_network(name)
    assert not torch.equal(*(survival_outputs(network(*inputs())) for _ in range(2)))
    network.eval()
    assert torch.equal(*(survival_outputs(network(*inputs())) for _ in range(2)))


@every_network
def test_covariates_and_image_both_count(name: str) -> None:
    network = make_network(name, 3).eval()
    image, valid, covariates = inputs(3)
    with torch.no_grad():
        reference = survival_outputs(network(image, valid, covariates))
        assert not torch.allclose(survival_outputs(network(image, valid, -covariates)), reference)
        assert not torch.allclose(survival_outputs(network(-image, valid, covariates)), reference)


@every_network
def test_what_is_not_valid_is_not_pooled(name: str) -> None:
    network = make_network(name).eval()
    image, valid, covariates = inputs(size=(32, 32, 32), n_cases=1)
    half = valid.clone()
    half[..., 16:] = 0
    with torch.no_grad():
        whole, part, nothing = (
            survival_outputs(network(image, mask, covariates)) for mask in (valid, half, 0 * valid)
        )
    assert not torch.allclose(whole, part)
    assert torch.isfinite(nothing).all()


@pytest.mark.long
@every_network
def test_mixed_precision_gives_nearly_the_same_outputs(name: str) -> None:
    network = make_network(name, 2).eval()
    with torch.no_grad():
        exact = survival_outputs(network(*inputs(2)))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            mixed = survival_outputs(network(*inputs(2)))
    # bfloat16 has 8 bits.
    assert (mixed.float() - exact).abs().max() < 0.05 * exact.abs().max()


@pytest.mark.long
@every_network
def test_the_network_compiles_as_one_graph(name: str) -> None:
    network = make_network(name, 2).eval()
    compiled = torch.compile(network, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(
        survival_outputs(compiled(*inputs(2))), survival_outputs(network(*inputs(2))), rtol=1e-4, atol=1e-5
    )


@every_network
def test_the_checkpoints_name_builds_the_network(name: str) -> None:
    sizes = NetworkSizes(("CT", "PET"), N_INTERVALS, 2, [[1] * 3, [2] * 3], [[3] * 3] * 2, (16, 16, 16))
    with torch.device("meta"):
        network = build_survival_network(name, sizes)
    assert type(network) is type(make_network(name))


def test_an_image_larger_than_the_learned_positions_is_refused() -> None:
    network = make_network("tmss")
    network(*inputs(size=(32, 32, 32)))  # 24 voxels, rounded up to patches of 16
    with pytest.raises(ValueError, match="use the setting pool 'crops'"):
        network(*inputs(size=(32, 33, 32)))


def test_the_transformers_clinical_token_stays_out_of_the_decoder() -> None:
    network = make_network("tmss", 1)
    assert isinstance(network, TMSS)
    tokens = torch.arange(1 + 8.0).reshape(1, 9, 1)
    assert network._as_map(tokens).flatten().tolist() == [1, 2, 3, 4, 5, 6, 7, 8]


def test_the_skips_of_the_published_transformer_leave_after_layers_3_6_and_9() -> None:
    with torch.device("meta"):
        network = TMSS(2, 14, 5, (80, 80, 48))
    assert network.skips_from == [3, 6, 9]
    assert network.positions.shape == (1, 76, 768)


def test_a_size_that_the_strides_do_not_divide_is_refused_by_the_u_net() -> None:
    with pytest.raises(ValueError, match="must be a multiple"):
        make_network("deepmts")(*inputs(size=(8, 8, 9)))
