"""The fusion gate, against the two-way softmax of Section 3.2."""

import torch

from nnunetv2_adamss.networks.fusion_gate import FusionGate


def gate_with_random_logits() -> FusionGate:
    torch.manual_seed(0)
    gate = FusionGate([2, 2], 3, [3, 3, 3])
    for logits in (gate.logits_pc, gate.logits_fuse):
        torch.nn.init.normal_(logits.weight)
        torch.nn.init.normal_(logits.bias)
    return gate


def test_training_starts_from_exactly_half_of_each_source() -> None:
    gate = FusionGate([2, 2], 3, [3, 3, 3])
    fuse_features, pet, ct = (
        torch.randn(2, 3, 4, 4, 4),
        torch.randn(2, 2, 4, 4, 4),
        torch.randn(2, 2, 4, 4, 4),
    )
    fused, w_fuse = gate(fuse_features, [pet, ct])
    assert torch.all(w_fuse == 0.5)
    torch.testing.assert_close(
        fused, 0.5 * fuse_features + 0.5 * gate.combine_modalities(torch.cat([pet, ct], dim=1))
    )


def test_the_output_is_the_softmax_weighted_sum_of_both_sources() -> None:
    gate = gate_with_random_logits()
    fuse_features, pet, ct = (
        torch.randn(2, 3, 4, 4, 4),
        torch.randn(2, 2, 4, 4, 4),
        torch.randn(2, 2, 4, 4, 4),
    )
    pc_features = gate.combine_modalities(torch.cat([pet, ct], dim=1))
    both = torch.cat([fuse_features, pc_features], dim=1)
    w_pc, w_fuse = torch.softmax(torch.stack([gate.logits_pc(both), gate.logits_fuse(both)]), dim=0)

    fused, found_w_fuse = gate(fuse_features, [pet, ct])

    torch.testing.assert_close(found_w_fuse, w_fuse)
    torch.testing.assert_close(fused, w_pc * pc_features + w_fuse * fuse_features)


def test_both_logits_receive_opposite_gradients() -> None:
    gate = gate_with_random_logits()
    fused, _ = gate(torch.randn(2, 3, 4, 4, 4), [torch.randn(2, 2, 4, 4, 4)] * 2)
    fused.square().sum().backward()
    assert gate.logits_pc.weight.grad is not None
    assert gate.logits_pc.weight.grad.abs().sum() > 0
    torch.testing.assert_close(gate.logits_pc.weight.grad, -gate.logits_fuse.weight.grad)


def test_extreme_logits_choose_one_source_and_stay_finite() -> None:
    gate = FusionGate([1, 1], 2, [3, 3, 3])
    torch.nn.init.constant_(gate.logits_fuse.bias, 1e4)
    fuse_features = torch.randn(2, 2, 4, 4, 4)
    fused, w_fuse = gate(fuse_features, [torch.randn(2, 1, 4, 4, 4)] * 2)
    assert torch.all(w_fuse == 1)
    torch.testing.assert_close(fused, fuse_features)
