"""Cox's partial likelihood: by hand, one by one, and against lifelines on a real table."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nnunetv2_adamss.survival.cox.partial_likelihood import cox_loss
from tests.survival.cox.real_table import age_and_death

Cohort = tuple[list[float], list[bool], list[float]]


@st.composite
def cohorts(draw: st.DrawFn) -> Cohort:
    """Log hazard, event and time on so few times that ties are common."""
    n = draw(st.integers(1, 8))

    def several(values: st.SearchStrategy) -> list:
        return draw(st.lists(values, min_size=n, max_size=n))

    return several(st.floats(-3, 3)), several(st.booleans()), several(st.sampled_from([1.0, 2.0, 3.0]))


def loss(log_hazard: list[float], event: list[bool], time: list[float]) -> torch.Tensor:
    return cox_loss(torch.tensor(log_hazard, dtype=torch.float64), torch.tensor(event), torch.tensor(time))


def loss_one_by_one(log_hazard: list[float], event: list[bool], time: list[float]) -> float:
    """Efron's formula, event time by event time."""
    total, hazard = 0.0, [math.exp(value) for value in log_hazard]
    for t in {t for t, e in zip(time, event, strict=True) if e}:
        tied = [i for i in range(len(time)) if event[i] and time[i] == t]
        at_risk = sum(hazard[i] for i in range(len(time)) if time[i] >= t)
        for k in range(len(tied)):
            total += math.log(at_risk - k / len(tied) * sum(hazard[i] for i in tied))
        total -= sum(log_hazard[i] for i in tied)
    return total / max(sum(event), 1)


def test_four_patients_with_a_tie_computed_by_hand() -> None:
    # Hazards 1, 2, 3, 4. Two events at time 1: 1 * 2 / (10 * (10 - 3 / 2)). One at time 2: 3 / (3 + 4).
    found = loss([math.log(h) for h in (1, 2, 3, 4)], [True, True, True, False], [1.0, 1.0, 2.0, 3.0])
    assert found.item() == pytest.approx(-(math.log(2 / 85) + math.log(3 / 7)) / 3)


@given(cohorts())
def test_the_loss_is_efrons_formula_event_by_event(cohort: Cohort) -> None:
    assert loss(*cohort).item() == pytest.approx(loss_one_by_one(*cohort), abs=1e-9)


@given(cohorts())
def test_a_constant_added_to_all_log_hazards_changes_nothing(cohort: Cohort) -> None:
    log_hazard, event, time = cohort
    assert loss([h + 5 for h in log_hazard], event, time).item() == pytest.approx(
        loss(log_hazard, event, time).item(), abs=1e-9
    )


def test_a_real_table_has_the_likelihood_that_lifelines_finds(real_data: Path) -> None:
    fit, log_hazard, event, time = age_and_death(real_data)
    assert len(np.unique(time[event])) < event.sum()
    found = cox_loss(torch.from_numpy(log_hazard), torch.from_numpy(event), torch.from_numpy(time))
    assert -found.item() * event.sum() == pytest.approx(fit.log_likelihood_, rel=1e-9)


def test_without_an_event_the_loss_and_its_gradient_are_exactly_0() -> None:
    log_hazard = torch.randn(4, requires_grad=True)
    found = cox_loss(log_hazard, torch.zeros(4), torch.arange(4.0))
    found.backward()
    assert found.item() == 0
    assert log_hazard.grad is not None
    assert torch.equal(log_hazard.grad, torch.zeros(4))


@pytest.mark.parametrize(
    "log_hazard", [[100.0, 0.0, 1.0, 2.0], [0.0, 0.0, -200.0, -200.0], [1e4, 0.0, -1e4, 0.0]]
)
def test_tied_hazards_that_lie_far_apart_have_a_finite_loss_with_a_gradient(log_hazard: list[float]) -> None:
    values = torch.tensor(log_hazard, requires_grad=True)
    found = cox_loss(values, torch.ones(4), torch.tensor([1.0, 1.0, 2.0, 2.0]))
    found.backward()
    assert 0 < found < 1e5
    assert values.grad is not None
    assert torch.isfinite(values.grad).all()
    assert values.grad.abs().sum() > 0


def test_a_hazard_that_rises_with_early_events_lowers_the_loss() -> None:
    time = torch.arange(1.0, 6.0)
    assert cox_loss(-time, torch.ones(5), time) < cox_loss(time, torch.ones(5), time)


def test_half_precision_is_computed_in_float32() -> None:
    log_hazard, event, time = torch.randn(8).half(), torch.ones(8), torch.rand(8)
    found = cox_loss(log_hazard, event, time)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, cox_loss(log_hazard.float(), event, time))
