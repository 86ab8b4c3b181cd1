"""The fusion strategies of Table III, against their description written out."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nnunetv2_adamss.networks.adamss import AdaMSS, AdaMSSSurvival
from nnunetv2_adamss.networks.encoder import AdaFusionEncoder
from nnunetv2_adamss.networks.fusion_strategies import (
    CTEncoder,
    EarlyFusionEncoder,
    FusionStrategy,
    IntermediateFusionEncoder,
    LateFusionEncoder,
    PETEncoder,
    SingleModalityEncoder,
)
from nnunetv2_adamss.networks.registry import build_survival_network
from nnunetv2_adamss.networks.stages import Stages
from nnunetv2_adamss.networks.survival_network import NetworkSizes

STRATEGIES: dict[str, FusionStrategy] = {
    "adamss_pet_only": PETEncoder,
    "adamss_ct_only": CTEncoder,
    "adamss_early_fusion": EarlyFusionEncoder,
    "adamss_late_fusion": LateFusionEncoder,
    "adamss_intermediate_fusion": IntermediateFusionEncoder,
    "adamss": AdaFusionEncoder,
}
# Those without gates.
OTHERS = [name for name in STRATEGIES if name != "adamss"]
ISOTROPIC = {"strides": [[1, 1, 1], [2, 2, 2], [2, 2, 2]], "kernel_sizes": [[3, 3, 3]] * 3}
ANISOTROPIC = {
    "strides": [[1, 1, 1], [1, 2, 2], [2, 2, 2]],
    "kernel_sizes": [[1, 3, 3], [3, 3, 3], [3, 3, 3]],
}
PUBLISHED = {"strides": [[1, 1, 1]] + [[2, 2, 2]] * 4, "kernel_sizes": [[3, 3, 3]] * 5}


def stage_one(name: str, n_modalities: int = 2, seed: int = 0, **plan: list[list[int]]) -> AdaMSS:
    torch.manual_seed(seed)
    return AdaMSS(n_modalities, 2, **(plan or ISOTROPIC), fusion=STRATEGIES[name])


def stage_two(name: str) -> AdaMSSSurvival:
    sizes = NetworkSizes(("CT", "PET"), 4, 3, **ISOTROPIC, crop_size=(8, 8, 8))
    network = build_survival_network(name, sizes)
    assert isinstance(network, AdaMSSSurvival)
    return network


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("n_modalities", [2, 3])
@pytest.mark.parametrize("plan", [ISOTROPIC, ANISOTROPIC], ids=["isotropic", "anisotropic"])
def test_every_strategy_segments_and_every_weight_learns(
    name: str, n_modalities: int, plan: dict[str, list[list[int]]]
) -> None:
    network = stage_one(name, n_modalities, **plan).double()
    logits = network(torch.randn(2, n_modalities, 8, 16, 16, dtype=torch.float64))
    assert logits.shape == (2, 2, 8, 16, 16)
    logits.square().mean().backward()
    without = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.abs().max() > 0]
    # A bias before batch normalisation is subtracted again with the mean: its gradient is rounding, or 0.
    assert all(n.endswith("conv.bias") for n in without), without


# ------------------------------------------------------------------------------------- numbers of parameters


def unit(n_in: int, n_out: int, kernel: int = 27) -> int:
    """Convolution with bias, and batch normalisation's two numbers a channel."""
    return kernel * n_in * n_out + n_out + 2 * n_out


def block(n_in: int, n_out: int, n_convs: int) -> int:
    """A shortcut, the unit that changes the number of channels, and those that do not."""
    return unit(n_in, n_out, 1) + unit(n_in, n_out) + (n_convs - 1) * unit(n_out, n_out)


N_CONVS = [2, 3, 3, 4, 4]
NARROW, WIDE = [8, 16, 32, 64, 128], [16, 32, 64, 128, 256]


def of_branch(n_in: int, channels: Sequence[int]) -> int:
    return sum(block(*sizes) for sizes in zip([n_in, *channels[:-1]], channels, N_CONVS, strict=True))


def of_decoder(skips: Sequence[int]) -> int:
    """Gates of two projections onto the skip's channels and one onto a single one; blocks; the head."""
    total = 16 * 2 + 2
    for i in range(4):
        coarse = WIDE[i + 1] if i < 3 else skips[4]
        gate = unit(coarse, skips[i], 1) + unit(skips[i], skips[i], 1) + unit(skips[i], 1, 1)
        total += gate + block(skips[i] + coarse, WIDE[i], N_CONVS[i])
    return total


OF_COMBINING = sum(unit(2 * narrow, wide) for narrow, wide in zip(NARROW, WIDE, strict=True))


@pytest.mark.parametrize(
    ("name", "by_hand", "as_documented"),
    [
        ("adamss_pet_only", of_branch(1, WIDE) + of_decoder(WIDE), 11_653_534),
        ("adamss_ct_only", of_branch(1, WIDE) + of_decoder(WIDE), 11_653_534),
        ("adamss_early_fusion", of_branch(2, WIDE) + of_decoder(WIDE), 11_653_982),
        ("adamss_late_fusion", 2 * of_branch(1, NARROW) + of_decoder(WIDE), 7_584_798),
        (
            "adamss_intermediate_fusion",
            2 * of_branch(1, NARROW) + of_branch(2, WIDE) + OF_COMBINING + of_decoder(WIDE),
            18_088_702,
        ),
    ],
)
def test_networks_of_the_papers_size_have_the_parameters_that_their_blocks_add_up_to(
    name: str, by_hand: int, as_documented: int
) -> None:
    with torch.device("meta"):
        network = stage_one(name, **PUBLISHED)
    assert sum(p.numel() for p in network.parameters()) == by_hand == as_documented


def test_with_three_modalities_late_fusion_has_wider_skips() -> None:
    with torch.device("meta"):
        network = stage_one("adamss_late_fusion", 3, **PUBLISHED)
    expected = 3 * of_branch(1, NARROW) + of_decoder([3 * channels for channels in NARROW])
    assert sum(p.numel() for p in network.parameters()) == expected


# -------------------------------------------------------------------------------------- the formulas, by hand


def by_branch(blocks: nn.ModuleList, image: Tensor, strides: Sequence[Sequence[int]]) -> list[Tensor]:
    """Features of one branch that nothing else feeds."""
    features = []
    for stride, residual_block in zip(strides, blocks, strict=True):
        image = residual_block(F.max_pool3d(image, tuple(stride)))
        features.append(image)
    return features


def assert_same_features(found: list[Tensor], expected: list[Tensor]) -> None:
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("n_modalities", [2, 3])
def test_late_fusion_concatenates_what_each_branch_finds(n_modalities: int) -> None:
    encoder = LateFusionEncoder(n_modalities, Stages(**ANISOTROPIC))
    image = torch.randn(2, n_modalities, 8, 16, 16)
    of_each = [
        by_branch(encoder.modality_branches[i], image[:, i : i + 1], ANISOTROPIC["strides"])
        for i in range(n_modalities)
    ]
    assert_same_features(
        encoder(image), [torch.cat(of_stage, dim=1) for of_stage in zip(*of_each, strict=True)]
    )


def test_early_fusion_is_one_branch_on_the_concatenated_image() -> None:
    encoder = EarlyFusionEncoder(2, Stages(**ANISOTROPIC))
    image = torch.randn(2, 2, 8, 16, 16)
    assert_same_features(encoder(image), by_branch(encoder.fusion_branch, image, ANISOTROPIC["strides"]))


def test_intermediate_fusion_adds_both_sources_and_continues_from_the_sum() -> None:
    encoder = IntermediateFusionEncoder(2, Stages(**ISOTROPIC))
    fused = image = torch.randn(2, 2, 8, 8, 8)
    ct, pet = (
        by_branch(encoder.modality_branches[i], image[:, i : i + 1], ISOTROPIC["strides"]) for i in range(2)
    )
    expected = []
    for i, stride in enumerate(ISOTROPIC["strides"]):
        f_pc = encoder.combine_modalities[i](torch.cat([ct[i], pet[i]], dim=1))
        fused = f_pc + encoder.fusion_branch[i](F.max_pool3d(fused, tuple(stride)))
        expected.append(fused)
    assert_same_features(encoder(image), expected)


# -------------------------------------------------------------------------------------------- one modality


def see(network: AdaMSS, channel: int) -> AdaMSS:
    assert isinstance(network.encoder, SingleModalityEncoder)
    network.encoder.use_channel(channel)
    return network


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_a_single_modality_sees_its_own_channel_and_nothing_of_the_others(channel: int) -> None:
    network = see(stage_one("adamss_pet_only", 3), channel)
    image = torch.randn(2, 3, 8, 8, 8)
    alone = torch.full_like(image, torch.nan)
    alone[:, channel] = image[:, channel]
    changed = image.clone()
    changed[:, channel] += 1
    expected = network(image)
    assert torch.equal(network(alone), expected)
    assert not torch.allclose(network(changed), expected)


def test_which_channel_it_is_travels_with_the_weights() -> None:
    trained = see(stage_one("adamss_pet_only"), 1).eval()
    fresh = stage_one("adamss_pet_only", seed=1).eval()
    fresh.load_state_dict(trained.state_dict())
    image = torch.randn(1, 2, 8, 8, 8)
    with torch.no_grad():
        torch.testing.assert_close(fresh(image), trained(image))


def test_one_channel_keeps_the_fast_memory_format() -> None:
    network = stage_one("adamss_pet_only").eval()
    with torch.no_grad():
        assert network(torch.randn(1, 2, 8, 8, 8)).is_contiguous(memory_format=torch.channels_last_3d)


@pytest.mark.slow
def test_the_choice_of_a_channel_compiles_with_the_rest_as_one_graph() -> None:
    network = see(stage_one("adamss_pet_only"), 1).eval()
    image = torch.randn(1, 2, 8, 8, 8)
    compiled = torch.compile(network, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(image), network(image), rtol=1e-3, atol=1e-4)


# -------------------------------------------------------------------------------------- from stage to stage


@pytest.mark.parametrize("name", STRATEGIES)
def test_stage_two_takes_every_tensor_of_its_own_stage_one_and_none_of_another_strategys(name: str) -> None:
    network = stage_two(name)
    for other in STRATEGIES:
        weights = stage_one(other, seed=1).state_dict()
        if other != name:
            with pytest.raises(ValueError, match="belong to another network or plan"):
                network.load_stage_one(weights)
            continue
        n_taken = network.load_stage_one(weights)
        own = network.state_dict()
        taken = {n for n, tensor in own.items() if n in weights and torch.equal(tensor, weights[n])}
        assert taken == {n for n in own if not n.startswith("survival_head.")}
        assert n_taken == len(taken)


@pytest.mark.parametrize("name", OTHERS)
def test_without_gates_there_are_attention_maps_but_no_fusion_weights(name: str) -> None:
    network = stage_two(name).eval()
    inputs = torch.randn(1, 2, 8, 8, 8), torch.ones(1, 1, 8, 8, 8), torch.zeros(1, 3)
    with torch.no_grad(), network.interpreted() as seen:
        assert network(*inputs).shape == (1, 4)
    assert seen.w_fuse == network.fusion_gates == []
    assert [attention.shape[2:] for attention in seen.attention] == [(8, 8, 8), (4, 4, 4)]
