"""The Stage-II loss against Eq. (1) written out, and where Eq. (1) with its clamp would not learn."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from nnunetv2_adamss.survival.discrete_time.loss import discrete_survival_loss

EPSILON = 1e-5


def equation_1(logits: Tensor, survived: Tensor, failed: Tensor) -> float:
    """Eq. (1) of the paper, one patient and one interval after the other, with its clamp."""
    total = 0.0
    for patient in range(len(logits)):
        for interval in range(logits.shape[1]):
            p = 1 / (1 + math.exp(-logits[patient, interval].item()))
            s, s_bar = survived[patient, interval].item(), failed[patient, interval].item()
            total -= math.log(max(1 + s * (p - 1), EPSILON)) + math.log(max(1 - s_bar * p, EPSILON))
    return total / len(logits)


def random_labels(n_cases: int, n_intervals: int) -> tuple[Tensor, Tensor]:
    """Labels as outcomes make them: survived up to an interval, where half of the patients fail."""
    last = torch.randint(0, n_intervals, (n_cases, 1))
    survived = (torch.arange(n_intervals) < last).double()
    failed = ((torch.arange(n_intervals) == last) & (torch.rand(n_cases, 1) < 0.5)).double()
    return survived, failed


def test_two_patients_computed_by_hand() -> None:
    # p = 0.8 and 0.5. The first survives the first interval and fails in the second; the second is lost immediately.
    logits = torch.tensor([[math.log(4), 0.0], [math.log(4), 0.0]])
    survived = torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    failed = torch.tensor([[0.0, 1.0], [0.0, 0.0]])
    expected = (-math.log(0.8) - math.log(0.5)) / 2
    assert discrete_survival_loss(logits, survived, failed).item() == pytest.approx(expected)
    # The mean is over both intervals, also where nothing is known.
    found = discrete_survival_loss(logits, survived, failed, "mean").item()
    assert found == pytest.approx((-math.log(0.8) - math.log(0.5)) / 4)


@pytest.mark.parametrize("seed", range(5))
def test_up_to_a_logit_of_11_the_loss_is_equation_1_with_its_clamp(seed: int) -> None:
    torch.manual_seed(seed)
    logits = torch.rand(8, 10, dtype=torch.float64) * 22 - 11
    logits[0, :2] = torch.tensor([11.0, -11.0])
    survived, failed = random_labels(8, 10)
    found = discrete_survival_loss(logits, survived, failed).item()
    assert found == pytest.approx(equation_1(logits, survived, failed), rel=1e-9)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("logit", [-50.0, 50.0])
def test_where_the_clamp_would_bind_the_loss_is_finite_and_has_a_gradient(
    logit: float, dtype: torch.dtype
) -> None:
    logits = torch.full((1, 3), logit, dtype=dtype, requires_grad=True)
    is_survived = torch.full((1, 3), float(logit < 0))  # the opposite of what is predicted
    loss = discrete_survival_loss(logits, is_survived, 1 - is_survived)
    (gradient,) = torch.autograd.grad(loss, logits)
    assert loss.item() == pytest.approx(150)
    assert gradient.tolist() == [pytest.approx([math.copysign(1, logit)] * 3)]


def test_float16_logits_are_summed_in_float32() -> None:
    torch.manual_seed(0)
    logits = torch.randn(64, 10).half()
    survived, failed = random_labels(64, 10)
    loss = discrete_survival_loss(logits, survived.float(), failed.float())
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(equation_1(logits, survived, failed), rel=1e-5)


def test_autocast_does_not_coarsen_the_loss() -> None:
    torch.manual_seed(0)
    logits = torch.randn(64, 10)
    survived, failed = (label.float() for label in random_labels(64, 10))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = discrete_survival_loss(logits, survived, failed)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, discrete_survival_loss(logits, survived, failed))


def test_what_is_not_known_has_no_gradient() -> None:
    logits = torch.zeros(1, 3, requires_grad=True)
    loss = discrete_survival_loss(logits, torch.tensor([[1.0, 0, 0]]), torch.zeros(1, 3))
    (gradient,) = torch.autograd.grad(loss, logits)
    assert gradient.tolist() == [[-0.5, 0, 0]]


def test_gradients_are_right_in_float64() -> None:
    torch.manual_seed(0)
    logits = (torch.randn(4, 5, dtype=torch.float64) * 5).requires_grad_()
    survived, failed = random_labels(4, 5)
    assert torch.autograd.gradcheck(lambda x: discrete_survival_loss(x, survived, failed), logits)


@given(st.permutations(range(6)))
def test_the_order_of_the_patients_does_not_change_the_loss(order: list[int]) -> None:
    torch.manual_seed(0)
    logits = torch.randn(6, 10, dtype=torch.float64)
    survived, failed = random_labels(6, 10)
    torch.testing.assert_close(
        discrete_survival_loss(logits[order], survived[order], failed[order]),
        discrete_survival_loss(logits, survived, failed),
    )


def test_labels_that_would_broadcast_are_an_error() -> None:
    with pytest.raises(ValueError, match=r"not \(2, 10\), \(1, 10\) and \(2, 10\)"):
        discrete_survival_loss(torch.zeros(2, 10), torch.zeros(1, 10), torch.zeros(2, 10))
