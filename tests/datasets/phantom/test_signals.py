"""Signals are independent in every sample, and mean the same in every cohort."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnunetv2_adamss.datasets.phantom.signals import SIGNALS, draw_signals, standardise


@settings(max_examples=60, deadline=None, derandomize=True)
@given(n_patients=st.integers(20, 300), seed=st.integers(0, 2**32 - 1))
def test_no_two_signals_correlate_in_any_cohort_of_twenty_or_more(n_patients: int, seed: int) -> None:
    signals = draw_signals(n_patients, np.random.default_rng(seed))
    r = np.corrcoef(signals.to_numpy(float), rowvar=False)
    assert np.abs(r - np.eye(len(SIGNALS))).max() < 0.05


def test_a_hand_computed_age_and_node_number_standardise_to_their_population_z_scores() -> None:
    signals = draw_signals(20, np.random.default_rng(0)).head(1).assign(n_nodes=4, hpv=0, age=71.0)
    z = standardise(signals).iloc[0]
    assert z["n_nodes"] == pytest.approx(2 / np.sqrt(2))  # variance of 0..4 is 2
    assert z["hpv"] == -1.0
    assert z["age"] == pytest.approx(1.0)


def test_what_enters_the_hazard_has_mean_zero_and_unit_spread() -> None:
    z = standardise(draw_signals(100, np.random.default_rng(3)))
    np.testing.assert_allclose(z.mean(), 0.0, atol=0.01)
    np.testing.assert_allclose(z.std(ddof=0), 1.0, atol=0.01)


def test_node_numbers_run_from_zero_to_four_and_hpv_is_a_flag() -> None:
    signals = draw_signals(50, np.random.default_rng(1))
    assert set(signals["n_nodes"]) == {0, 1, 2, 3, 4}
    assert set(signals["hpv"]) == {0, 1}


@pytest.mark.parametrize("n_patients", [1, 2, 7, 8, 9, 19])
def test_small_cohorts_are_drawn_with_a_warning(n_patients: int, caplog: pytest.LogCaptureFixture) -> None:
    signals = draw_signals(n_patients, np.random.default_rng(5))
    assert np.isfinite(signals.to_numpy(float)).all()
    assert "too small to keep the signals uncorrelated" in caplog.text


def test_an_empty_cohort_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 patient"):
        draw_signals(0, np.random.default_rng(0))
