"""The loss of multi-task logistic regression against its sequences of labels, one by one."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nnunetv2_adamss.survival.discrete_time.intervals import interval_labels
from nnunetv2_adamss.survival.discrete_time.mtlr_loss import mtlr_loss

EDGES = [0.0, 10.0, 20.0, 40.0]


def loss(outputs: list[list[float]], event: list[bool], time: list[float]) -> torch.Tensor:
    return mtlr_loss(
        torch.tensor(outputs, dtype=torch.float64),
        torch.tensor(event),
        torch.tensor(time),
        torch.tensor(EDGES),
    )


def loss_of_one(outputs: list[float], event: bool, time: float) -> float:
    """Over "dead at edge 1, 2, 3": what is known of each is 1, 0 or open (Yu et al. 2011)."""
    sequences = [[0] * k + [1] * (3 - k) for k in range(4)]

    def is_possible(sequence: list[int]) -> bool:
        # Dead or alive at an edge; after censoring it is unknown.
        known = [(int(time <= edge) if event else 0) if event or edge < time else None for edge in EDGES[1:]]
        return all(k is None or k == y for k, y in zip(known, sequence, strict=True))

    def total(sequences: list[list[int]]) -> float:
        return sum(math.exp(sum(o * y for o, y in zip(outputs, s, strict=True))) for s in sequences)

    return -math.log(total([s for s in sequences if is_possible(s)]) / total(sequences))


@given(
    st.lists(st.floats(-3, 3), min_size=3, max_size=3),
    st.booleans(),
    st.sampled_from([0.5, 10.0, 10.5, 20.0, 39.0, 40.0, 41.0]),
)
def test_the_loss_is_minus_the_log_of_the_share_of_what_is_possible(
    outputs: list[float], event: bool, time: float
) -> None:
    assert loss([outputs], [event], [time]).item() == pytest.approx(loss_of_one(outputs, event, time))


def test_the_loss_is_the_mean_over_the_batch() -> None:
    outputs, event, time = [[0.1, 0.2, 0.3], [1.0, -1.0, 0.5]], [True, False], [15.0, 30.0]
    one_by_one = [loss([o], [e], [t]).item() for o, e, t in zip(outputs, event, time, strict=True)]
    assert loss(outputs, event, time).item() == pytest.approx(sum(one_by_one) / 2)


def test_events_lie_in_the_same_bins_as_in_the_other_discrete_loss_though_times_are_rounded() -> None:
    edges = np.array([0.0, 0.1, 0.3, 1 / 3, 0.7])
    times = np.repeat(edges[1:], 1)
    failed = interval_labels(edges, np.ones(4, dtype=bool), times).failed
    for i, time in enumerate(torch.tensor(times, dtype=torch.float32)):
        sure = torch.zeros(1, 4)
        sure[0, i] = 50.0
        if i:
            sure[0, i - 1] = -50.0
        found = mtlr_loss(sure, torch.ones(1), time[None], torch.from_numpy(edges))
        assert failed[i, i] == 1
        assert found < 1e-6


def test_a_patient_censored_at_time_zero_has_no_gradient() -> None:
    assert loss([[0.3, -2.0, 1.0]], [False], [5.0]).item() == pytest.approx(0, abs=1e-12)


def test_extreme_outputs_have_a_finite_loss_with_a_gradient() -> None:
    outputs = torch.tensor([[1e4, -1e4, 1e4]], requires_grad=True)
    found = mtlr_loss(outputs, torch.ones(1), torch.tensor([50.0]), torch.tensor(EDGES))
    found.backward()
    assert found.item() == pytest.approx(1e4, rel=1e-3)
    assert outputs.grad is not None
    assert outputs.grad.abs().sum() > 0


def test_half_precision_is_computed_in_float32() -> None:
    outputs = torch.randn(4, 3).half()
    targets = torch.tensor([1, 0, 1, 0]), torch.tensor([5.0, 15.0, 30.0, 50.0]), torch.tensor(EDGES)
    found = mtlr_loss(outputs, *targets)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, mtlr_loss(outputs.float(), *targets))
