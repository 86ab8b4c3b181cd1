"""The whole network, against the numbers of the paper and of its design page."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from nnunetv2_adamss.networks import trunk
from nnunetv2_adamss.networks.adamss import AdaMSS

PUBLISHED_STRIDES = [[1, 1, 1]] + [[2, 2, 2]] * 4
PUBLISHED_KERNEL_SIZES = [[3, 3, 3]] * 5


def assert_same_logits(found: torch.Tensor, expected: torch.Tensor) -> None:
    """Equal up to float32 rounding, measured on the scale of the largest logit."""
    assert (found - expected).abs().max() < 1e-5 * expected.abs().max()


def small_network(n_modalities: int = 2, n_classes: int = 2, n_stages: int = 3) -> AdaMSS:
    torch.manual_seed(0)
    strides = [[1, 1, 1]] + [[2, 2, 2]] * (n_stages - 1)
    return AdaMSS(n_modalities, n_classes, strides, [[3, 3, 3]] * n_stages)


@pytest.fixture(scope="module")
def published_network_without_memory() -> AdaMSS:
    with torch.device("meta"):
        return AdaMSS(2, 2, PUBLISHED_STRIDES, PUBLISHED_KERNEL_SIZES)


def test_the_published_network_has_18438878_parameters(published_network_without_memory: AdaMSS) -> None:
    assert sum(p.numel() for p in published_network_without_memory.parameters()) == 18_438_878


def test_a_published_patch_costs_no_more_than_321_gflop(published_network_without_memory: AdaMSS) -> None:
    patch = torch.empty(1, 2, 112, 112, 112, device="meta")
    with FlopCounterMode(display=False) as counter:
        published_network_without_memory(patch)
    # The gates' two logits are computed as one difference, which saves 1%.
    assert 0.98 * 321e9 < counter.get_total_flops() < 321e9


@pytest.mark.parametrize(
    ("n_modalities", "strides", "kernel_sizes", "size"),
    [
        (2, [[1, 1, 1], [2, 2, 2]], [[3, 3, 3]] * 2, (4, 6, 8)),
        (2, [[1, 1, 1], [1, 2, 2], [2, 2, 2]], [[1, 3, 3], [3, 3, 3], [3, 3, 3]], (4, 8, 8)),
        (3, [[1, 1, 1], [2, 2, 2], [2, 2, 2]], [[3, 3, 3]] * 3, (8, 8, 8)),
        (2, [[1, 1], [2, 2], [2, 2]], [[3, 3]] * 3, (16, 8)),
        (2, [[1, 1]] + [[2, 2]] * 6, [[3, 3]] * 7, (128, 64)),
    ],
)
def test_anisotropic_plans_two_dimensions_and_more_channels_work(
    n_modalities: int, strides: list[list[int]], kernel_sizes: list[list[int]], size: tuple[int, ...]
) -> None:
    network = AdaMSS(n_modalities, 3, strides, kernel_sizes)
    logits, seen = network.segment_and_interpret(torch.randn(2, n_modalities, *size))
    assert logits.shape == (2, 3, *size)
    assert [w.shape[1] for w in seen.w_fuse] == network.stages.fusion_channels
    assert [a.shape[1] for a in seen.attention] == [1] * (len(strides) - 1)
    assert seen.w_fuse[0].shape[2:] == seen.attention[0].shape[2:] == size


def test_every_parameter_receives_a_gradient() -> None:
    network = small_network().double()
    # Away from exactly zero, where a gate's start would hide a missing connection.
    for gate in network.encoder.fusion_gates:
        torch.nn.init.normal_(gate.logits_fuse.weight)
    network(torch.randn(2, 2, 16, 16, 16, dtype=torch.float64)).square().mean().backward()
    without = [
        name
        for name, parameter in network.named_parameters()
        if parameter.grad is None or not parameter.grad.abs().max() > 0
    ]
    # A bias before batch normalisation is subtracted again with the mean: its gradient is rounding, or 0.
    assert all(name.endswith("conv.bias") for name in without), without
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_all_gates_start_at_one_half() -> None:
    _, seen = small_network().segment_and_interpret(torch.randn(2, 2, 8, 8, 8))
    assert all(torch.all(w == 0.5) for w in seen.w_fuse)


def test_inference_without_gradients_equals_inference_with_them() -> None:
    network = small_network()
    image = torch.randn(1, 2, 16, 16, 16)
    network(torch.randn(4, 2, 16, 16, 16))  # moves the running statistics away from 0 and 1
    network.eval()
    with torch.no_grad():
        without_gradients = network(image)
    assert_same_logits(without_gradients, network(image).detach())


def test_channels_last_does_not_change_the_result_and_reaches_the_logits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = small_network().eval()
    image = torch.randn(1, 2, 16, 16, 16)
    with torch.no_grad():
        found = network(image)
        monkeypatch.setattr(trunk, "_in_fast_memory_format", lambda image: image)
        expected = network(image)
    assert found.is_contiguous(memory_format=torch.channels_last_3d)
    assert expected.is_contiguous()
    assert_same_logits(found, expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_autocast_stays_finite_forwards_and_backwards(dtype: torch.dtype) -> None:
    network = small_network()
    with torch.autocast("cpu", dtype=dtype):
        assert network.decoder(network.encoder(torch.randn(2, 2, 16, 16, 16)))[0].dtype == dtype
        logits, seen = network.segment_and_interpret(torch.randn(2, 2, 16, 16, 16))
    logits.float().square().mean().backward()
    assert torch.isfinite(logits).all()
    assert all(torch.isfinite(m).all() for maps in seen for m in maps)
    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)


def test_torch_compile_gives_the_same_logits_and_gradients() -> None:
    image = torch.randn(2, 2, 8, 8, 8)
    network, twin = small_network(n_stages=2), small_network(n_stages=2)
    compiled = torch.compile(twin, backend="aot_eager", fullgraph=True)
    expected, found = network(image), compiled(image)
    assert_same_logits(found, expected)
    expected.square().mean().backward()
    found.square().mean().backward()
    torch.testing.assert_close(
        twin.decoder.seg_layers.weight.grad, network.decoder.seg_layers.weight.grad, rtol=1e-3, atol=1e-4
    )


def test_training_and_inference_share_one_state_dict() -> None:
    trained = small_network()
    trained(torch.randn(2, 2, 8, 8, 8))
    fresh = small_network()
    fresh.load_state_dict(trained.state_dict())
    image = torch.randn(1, 2, 8, 8, 8)
    with torch.no_grad():
        torch.testing.assert_close(fresh.eval()(image), trained.eval()(image))


def test_one_channel_is_refused_in_one_sentence() -> None:
    with pytest.raises(ValueError, match="at least 2 image channels .* the data set has 1"):
        small_network(n_modalities=1)


def test_an_image_that_the_strides_do_not_divide_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\[8, 8, 6\] does not fit"):
        small_network()(torch.randn(1, 2, 8, 8, 6))


def test_weights_of_another_network_are_refused_in_one_sentence() -> None:
    with pytest.raises(ValueError, match="belong to another network or plan"):
        small_network().load_state_dict(torch.nn.Linear(2, 2).state_dict())
    with pytest.raises(ValueError, match="2 of another shape .such as decoder.seg_layers.weight"):
        small_network().load_state_dict(small_network(n_classes=3).state_dict())
