"""The published sizes of the comparison networks, added up layer by layer."""

import torch

from nnunetv2_adamss.networks.comparison.deepmtlr import DeepMTLR
from nnunetv2_adamss.networks.comparison.deepmts import DeepMTS
from nnunetv2_adamss.networks.comparison.mdsn_proxy import MDSNProxy
from nnunetv2_adamss.networks.comparison.tmss import TMSS
from nnunetv2_adamss.networks.survival_network import SurvivalNetwork

N_CLINICAL = 7
STRIDES = [[1, 1, 1]] + [[2, 2, 2]] * 4
KERNEL_SIZES = [[3, 3, 3]] * 5


def n_parameters(network: SurvivalNetwork) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def conv(n_in: int, n_out: int, side: int) -> int:
    return n_in * n_out * side**3 + n_out


def norm(channels: int) -> int:
    return 2 * channels


def unit(n_in: int, n_out: int, side: int) -> int:
    return conv(n_in, n_out, side) + norm(n_out)


def residual_block(n_in: int, n_out: int, n_convs: int) -> int:
    return unit(n_in, n_out, 1) + unit(n_in, n_out, 3) + (n_convs - 1) * unit(n_out, n_out, 3)


def linear(n_in: int, n_out: int) -> int:
    return n_in * n_out + n_out


def dense_net(n_in: int) -> int:
    def layer(channels: int) -> int:
        return norm(channels) + conv(channels, 64, 1) + norm(64) + conv(64, 16, 3)

    def block(channels: int, n_layers: int) -> int:
        return sum(layer(channels + 16 * i) for i in range(n_layers))

    def transition(channels: int, n_out: int) -> int:
        return norm(channels) + conv(channels, n_out, 1)

    return (
        conv(n_in, 24, 3)
        + block(24, 4) + transition(24 + 4 * 16, 16)
        + block(16, 8) + transition(16 + 8 * 16, 32)
        + block(32, 16) + transition(32 + 16 * 16, 64)
    )  # fmt: skip


def test_deepmts() -> None:
    encoder = (
        residual_block(2, 8, 2) + residual_block(8, 16, 2) + residual_block(16, 32, 3)
        + residual_block(32, 64, 3) + residual_block(64, 128, 4)
    )  # fmt: skip
    decoder = (
        residual_block(128 + 64, 64, 3) + residual_block(64 + 32, 32, 3)
        + residual_block(32 + 16, 16, 2) + residual_block(16 + 8, 8, 2)
    )  # fmt: skip
    compress = unit(8, 4, 1) + unit(16, 8, 1) + unit(32, 16, 1) + unit(64, 32, 1) + unit(128, 64, 1)
    head = linear(124, 64) + linear(112, 64) + linear(64 + 64 + N_CLINICAL, 1)
    expected = encoder + decoder + conv(8, 2, 1) + compress + dense_net(3) + head
    assert n_parameters(DeepMTS(2, 10, N_CLINICAL, STRIDES, KERNEL_SIZES)) == expected == 3_709_454


def test_mdsn_proxy() -> None:
    expected = dense_net(2) + linear(112, 64) + linear(64 + N_CLINICAL, 1)
    assert n_parameters(MDSNProxy(2, 10, N_CLINICAL)) == expected == 1_025_392


def test_deepmtlr() -> None:
    convolutions = unit(1, 32, 3) + unit(32, 64, 5) + unit(64, 128, 3) + unit(128, 256, 5)
    hidden = linear(256 + N_CLINICAL, 512) + norm(512) + linear(512, 512) + norm(512)
    expected = convolutions + hidden + linear(512, 14)
    assert n_parameters(DeepMTLR(14, N_CLINICAL)) == expected == 4_982_542


def test_tmss() -> None:
    # Layers of the transformer: two norms, queries, keys and values without bias, projection, and the hidden layers.
    layer = 2 * norm(768) + 768 * 3 * 768 + linear(768, 768) + linear(768, 3072) + linear(3072, 768)
    transformer = conv(2, 768, 16) + linear(N_CLINICAL, 768) + 76 * 768 + 12 * layer + norm(768)

    # UNETR's: convolutions without bias, instance normalisation without weights.
    def residual(n_in: int, n_out: int) -> int:
        return n_in * n_out * 27 + n_out * n_out * 27 + (n_in * n_out if n_in != n_out else 0)

    def up(n_in: int, n_out: int) -> int:
        return n_in * n_out * 8

    skips = (
        residual(2, 16)
        + up(768, 32) + 2 * (up(32, 32) + residual(32, 32))
        + up(768, 64) + up(64, 64) + residual(64, 64)
        + up(768, 128)
    )  # fmt: skip
    blocks = sum(up(a, b) + residual(2 * b, b) for a, b in ((768, 128), (128, 64), (64, 32), (32, 16)))
    head = linear(768, 512) + norm(512) + linear(512, 128) + norm(128) + linear(128, 14)
    expected = transformer + skips + blocks + conv(16, 1, 1) + head
    with torch.device("meta"):
        network = TMSS(2, 14, N_CLINICAL, (80, 80, 48))
    assert n_parameters(network) == expected == 96_291_103
