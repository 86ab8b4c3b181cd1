"""D-calibration of curves that are right, wrong, and small enough to count by hand."""

import numpy as np
import pytest
from scipy.stats import chi2, kstest

from nnunetv2_adamss.metrics.d_calibration import d_calibration
from nnunetv2_adamss.metrics.survival_curves import PredictedCurves

TIMES = np.linspace(0, 8000, 401)


def curves_of(rate: np.ndarray) -> PredictedCurves:
    return PredictedCurves(TIMES, np.exp(-rate[:, None] * TIMES))


def exponential_cohort(n_cases: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    rate = np.exp(rng.normal(-7, 0.5, n_cases))
    death, censoring = rng.exponential(1 / rate), rng.exponential(6000, n_cases)
    return rate, death <= censoring, np.minimum(death, censoring)


def test_patients_counted_by_hand() -> None:
    # On the line from 1 to 0 at 100: fifty deaths five to a tenth, and one who is censored at 0.25.
    time = np.append(np.arange(1.0, 100.0, 2.0), 75.0)
    curves = PredictedCurves(np.array([0.0, 100.0]), np.tile([1.0, 0.0], (51, 1)))
    found = d_calibration(curves, np.append(np.ones(50, dtype=bool), False), time)
    counts = np.full(10, 5.0)
    counts[:3] += [0.4, 0.4, 0.2]
    assert np.array(found.shares) * 51 == pytest.approx(counts)
    # 5.1 are expected in each tenth.
    assert found.chi_square == pytest.approx((2 * 0.3**2 + 8 * 0.1**2) / 5.1)
    assert found.p_value == pytest.approx(chi2.sf(found.chi_square, 9))


def test_right_curves_pass_and_too_steep_ones_do_not() -> None:
    rate, event, time = exponential_cohort(2000)
    assert d_calibration(curves_of(rate), event, time).p_value > 0.05
    assert d_calibration(curves_of(1.5 * rate), event, time).p_value < 1e-6


def test_without_censoring_the_p_values_of_right_curves_are_uniform() -> None:
    p_values = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        rate = np.full(200, 1e-3)
        p_values.append(
            d_calibration(curves_of(rate), np.ones(200, dtype=bool), rng.exponential(1000, 200)).p_value
        )
    assert kstest(p_values, "uniform").pvalue > 0.01


def test_a_time_after_the_end_of_the_curves_counts_as_censored_there() -> None:
    curves = PredictedCurves(np.array([0.0, 10.0]), np.tile([1.0, 0.5], (60, 1)))
    found = d_calibration(curves, np.ones(60, dtype=bool), np.full(60, 20.0))
    assert found.shares == pytest.approx([0.2] * 5 + [0.0] * 5)


def test_a_patient_who_was_sure_to_be_dead_lies_in_the_lowest_tenth() -> None:
    curves = PredictedCurves(np.array([0.0, 10.0]), np.tile([1.0, 0.0], (50, 1)))
    found = d_calibration(curves, np.append(True, np.zeros(49, dtype=bool)), np.full(50, 10.0))
    assert found.shares == pytest.approx([1.0] + [0.0] * 9)


@pytest.mark.parametrize(("n_cases", "event"), [(49, True), (60, False)])
def test_few_patients_or_no_events_have_a_reason_and_no_number(n_cases: int, event: bool) -> None:
    curves = PredictedCurves(np.array([0.0, 10.0]), np.tile([1.0, 0.5], (n_cases, 1)))
    found = d_calibration(curves, np.full(n_cases, event), np.full(n_cases, 5.0))
    assert found.p_value is None
    assert found.reason is not None and found.reason.startswith("not estimable: ")
