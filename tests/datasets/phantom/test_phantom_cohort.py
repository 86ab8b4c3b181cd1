"""Tables: split, censoring, missing values, and what a case depends on."""

import numpy as np
import pandas as pd
import pytest

from nnunetv2_adamss.datasets.phantom import SIGNALS, PhantomCohortConfig, draw_cohorts
from nnunetv2_adamss.datasets.phantom.phantom_cohort import image_seed


def test_about_sixty_percent_of_training_patients_are_censored_and_test_patients_are_near() -> None:
    training, test = draw_cohorts(PhantomCohortConfig(n_training=200, n_test=200, seed=1))
    assert 1 - training.table["event"].mean() == pytest.approx(0.6, abs=0.01)
    assert 1 - test.table["event"].mean() == pytest.approx(0.6, abs=0.12)
    assert (training.table["time"] > 0).all()


def test_both_splits_have_uncorrelated_signals_of_their_own() -> None:
    training, test = draw_cohorts(PhantomCohortConfig(n_training=30, n_test=20))
    assert not np.isin(test.table["volume"], training.table["volume"]).any()
    for cohort in (training, test):
        r = np.corrcoef(cohort.table[list(SIGNALS)].to_numpy(float), rowvar=False)
        assert np.abs(r - np.eye(len(SIGNALS))).max() < 0.05


def test_the_test_cohort_does_not_depend_on_the_censoring_draws_or_size_of_training_images() -> None:
    config = PhantomCohortConfig(n_training=30, n_test=20)
    alone, _ = draw_cohorts(config)
    more, _ = draw_cohorts(PhantomCohortConfig(n_training=30, n_test=40))
    pd.testing.assert_frame_equal(alone.table, more.table)


def test_the_random_stream_of_a_case_depends_on_seed_split_and_index_only() -> None:
    small, large = PhantomCohortConfig(n_training=20), PhantomCohortConfig(n_training=300, n_test=0)
    state = [image_seed(c, "training", 7).generate_state(4).tolist() for c in (small, large)]
    assert state[0] == state[1]
    assert state[0] != image_seed(small, "test", 7).generate_state(4).tolist()


def test_missing_values_are_in_the_table_and_not_in_the_truth() -> None:
    (cohort,) = draw_cohorts(PhantomCohortConfig(n_training=300, n_test=0, missing_fraction=0.2))
    table = cohort.survival_table()
    assert list(table) == ["case_id", "time", "event", "age", "hpv", "centre"]
    assert table["age"].isna().mean() == pytest.approx(0.2, abs=0.07)
    assert table["hpv"].isna().mean() == pytest.approx(0.2, abs=0.07)
    assert not cohort.table.isna().any().any()


def test_centres_are_of_even_size() -> None:
    (cohort,) = draw_cohorts(PhantomCohortConfig(n_training=40, n_test=0, n_centres=4))
    assert cohort.survival_table()["centre"].value_counts().to_dict() == dict.fromkeys("ABCD", 10)


def test_the_oracle_beats_chance_unless_the_cohort_is_null() -> None:
    (signal,) = draw_cohorts(PhantomCohortConfig(n_training=400, n_test=0))
    (null,) = draw_cohorts(PhantomCohortConfig(n_training=400, n_test=0, signals_on=()))
    assert 0.7 < signal.oracle_c_index < 0.9
    assert null.oracle_c_index == 0.5
