"""Multi-task logistic regression against all its sequences of labels, written out one by one."""

from itertools import pairwise

import pytest
import torch

from nnunetv2_adamss.networks.comparison.parts.mtlr_network import bin_scores, conditional_survival


def probabilities_by_enumeration(outputs: list[float]) -> list[float]:
    """Of an event in each bin: sequences "dead at the end of interval j" that once dead stay dead (Yu et al. 2011)."""
    n = len(outputs)
    sequences = [[0] * k + [1] * (n - k) for k in range(n + 1)]
    weights = [
        float(torch.exp(torch.tensor(sum(o * y for o, y in zip(outputs, s, strict=True))))) for s in sequences
    ]
    return [weight / sum(weights) for weight in weights]


@pytest.mark.parametrize("seed", range(3))
def test_probabilities_of_the_bins_are_those_of_the_monotone_sequences(seed: int) -> None:
    outputs = torch.randn(1, 6, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    found = bin_scores(outputs).softmax(-1)[0]
    assert found.tolist() == pytest.approx(probabilities_by_enumeration(outputs[0].tolist()), rel=1e-6)


def test_the_published_product_with_a_triangular_matrix_gives_the_same_scores() -> None:
    outputs = torch.randn(4, 14)
    triangular = torch.tril(torch.ones(14, 15))
    torch.testing.assert_close(bin_scores(outputs), outputs @ triangular)


def test_the_survival_curve_is_the_share_of_the_bins_still_to_come() -> None:
    outputs = torch.randn(1, 6, dtype=torch.float64)
    probabilities = torch.tensor(probabilities_by_enumeration(outputs[0].tolist()), dtype=torch.float64)
    curve = conditional_survival(outputs)[0].cumprod(0)
    torch.testing.assert_close(curve, 1 - probabilities.cumsum(0)[:-1], rtol=1e-6, atol=1e-9)


def test_extreme_outputs_give_probabilities_and_curves_that_do_not_rise() -> None:
    for scale in (1e2, 1e4, 1e30):
        prob = conditional_survival(scale * torch.randn(50, 14))
        assert torch.isfinite(prob).all()
        assert ((prob >= 0) & (prob <= 1)).all()
        curve = prob.cumprod(1)
        assert all((later <= earlier).all() for earlier, later in pairwise(curve.T))


def test_higher_outputs_mean_an_earlier_event() -> None:
    low, high = (conditional_survival(torch.full((1, 4), value)) for value in (-1.0, 1.0))
    assert (high < low).all()
