"""The survival head: pooling over what is image, covariates, dropout, penalty."""

import pytest
import torch
from torch import nn

from nnunetv2_adamss.networks.stages import Stages
from nnunetv2_adamss.networks.survival_head import SurvivalHead

STAGES = Stages([[1, 1, 1], [2, 2, 2], [1, 2, 2]], [[3, 3, 3]] * 3)


def make_head(n_covariates: int = 0) -> SurvivalHead:
    torch.manual_seed(0)
    return SurvivalHead(STAGES, n_covariates, 10)


def features(seed: int = 0) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shapes = [(2, 16, 8, 8, 8), (2, 32, 4, 4, 4)]
    return [torch.randn(shape, generator=generator) for shape in shapes]


def test_logits_are_the_written_out_formula_on_pooled_features_and_covariates() -> None:
    head = make_head(n_covariates=3).eval()
    stage_features, covariates = features(), torch.randn(2, 3)
    pooled = torch.cat([*(f.mean(dim=(2, 3, 4)) for f in stage_features), covariates], dim=1)
    hidden = torch.clamp(pooled @ head.hidden.weight.T + head.hidden.bias, min=0)
    expected = hidden @ head.output.weight.T + head.output.bias
    torch.testing.assert_close(head(stage_features, torch.ones(2, 1, 8, 8, 8), covariates), expected)


def test_padding_does_not_count_in_any_stage() -> None:
    head = make_head().eval()
    valid = torch.zeros(2, 1, 8, 8, 8)
    valid[..., :6] = 1
    valid[1] = 1
    in_padding = [features(0), features(1)]
    # The second case is the same everywhere, the first only where there is image.
    for stage, n_valid in zip(range(2), (6, 3), strict=True):
        in_padding[1][stage][0, ..., :n_valid] = in_padding[0][stage][0, ..., :n_valid]
        in_padding[1][stage][1] = in_padding[0][stage][1]
    one, other = (head(stage_features, valid, torch.zeros(2, 0)) for stage_features in in_padding)
    torch.testing.assert_close(one, other)


def test_a_coarse_voxel_counts_by_the_share_of_image_in_it() -> None:
    head = make_head().eval()
    nn.init.zeros_(head.hidden.weight)
    nn.init.zeros_(head.hidden.bias)
    head.hidden.weight.data[0, 16] = 1  # the coarser stage's first channel
    nn.init.ones_(head.output.weight)
    nn.init.zeros_(head.output.bias)
    valid = torch.zeros(1, 1, 8, 8, 8)
    valid[..., :3] = 1  # one coarse voxel of two fine ones, and half of the next
    coarse = torch.zeros(1, 32, 4, 4, 4)
    coarse[0, 0, ..., 0], coarse[0, 0, ..., 1], coarse[0, 0, ..., 2:] = 3.0, 6.0, 100.0
    logits = head([torch.zeros(1, 16, 8, 8, 8), coarse], valid, torch.zeros(1, 0))
    torch.testing.assert_close(logits, torch.full((1, 10), (3.0 * 1 + 6.0 * 0.5) / 1.5))


def test_a_crop_that_is_all_padding_gives_finite_logits() -> None:
    logits = make_head()(features(), torch.zeros(2, 1, 8, 8, 8), torch.zeros(2, 0))
    assert torch.isfinite(logits).all()


def test_half_precision_features_are_pooled_in_float32() -> None:
    head = make_head().eval()
    half = [torch.full((1, c, n, n, n), 60.0, dtype=torch.float16) for c, n in ((16, 8), (32, 4))]
    exact = head([f.float() for f in half], torch.ones(1, 1, 8, 8, 8), torch.zeros(1, 0))
    torch.testing.assert_close(head(half, torch.ones(1, 1, 8, 8, 8), torch.zeros(1, 0)), exact)


def test_dropout_works_in_training_and_not_in_evaluation() -> None:
    head = make_head()
    inputs = features(), torch.ones(2, 1, 8, 8, 8), torch.zeros(2, 0)
    assert not torch.equal(head(*inputs), head(*inputs))
    head.eval()
    assert torch.equal(head(*inputs), head(*inputs))


def test_the_penalty_is_the_sum_of_squares_of_both_matrices_without_biases() -> None:
    head = make_head()
    expected = (head.hidden.weight**2).sum() + (head.output.weight**2).sum()
    assert head.squared_weights().item() == pytest.approx(expected.item(), rel=1e-6)
