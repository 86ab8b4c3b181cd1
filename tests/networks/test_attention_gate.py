"""The attention gate, against the formula of Schlemper et al. (2019) written out."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from nnunetv2_adamss.networks.attention_gate import AttentionGate, _Projection


def project_by_hand(projection: _Projection, x: Tensor) -> Tensor:
    weight = projection.conv.weight.flatten(1)
    projected = torch.einsum("oc,bcdhw->bodhw", weight, x) + projection.conv.bias.view(1, -1, 1, 1, 1)
    mean = projected.mean((0, 2, 3, 4), keepdim=True)
    variance = projected.var((0, 2, 3, 4), correction=0, keepdim=True)
    return (projected - mean) / (variance + 1e-5).sqrt()


def test_the_skip_is_multiplied_by_the_upsampled_attention() -> None:
    torch.manual_seed(0)
    gate = AttentionGate(skip_channels=3, coarse_channels=5, stride=[1, 2, 2])
    skip, coarse = torch.randn(2, 3, 4, 8, 8), torch.randn(2, 5, 4, 4, 4)

    pooled = F.avg_pool3d(project_by_hand(gate.skip, skip), (1, 2, 2))
    logits = project_by_hand(gate.attention, F.relu(project_by_hand(gate.coarse, coarse) + pooled))
    expected = F.interpolate(torch.sigmoid(logits), size=(4, 8, 8), mode="trilinear", align_corners=True)

    gated, attention = gate(skip, coarse)
    torch.testing.assert_close(attention, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(gated, skip * expected, rtol=1e-4, atol=1e-5)
    assert 0 <= attention.min() <= attention.max() <= 1


@pytest.mark.parametrize("stride", [[2, 2, 2], [1, 2, 2], [2, 2]])
def test_pooling_before_the_projection_changes_nothing_at_inference(stride: list[int]) -> None:
    torch.manual_seed(0)
    gate = AttentionGate(skip_channels=3, coarse_channels=5, stride=stride)
    skip, coarse = torch.randn(2, 3, *(4 * s for s in stride)), torch.randn(2, 5, *([4] * len(stride)))
    gate(skip, coarse)  # moves the running statistics away from 0 and 1
    gate.eval()
    with torch.no_grad():
        torch.testing.assert_close(gate._pooled_projection(skip), gate.pool(gate.skip(skip)))
