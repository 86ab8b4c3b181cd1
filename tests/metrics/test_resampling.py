"""The resampled cohort: what it refuses, and how many events an estimate of a probability needs."""

import numpy as np
import pytest

from nnunetv2_adamss.metrics.resampling import ResampledCohort


def test_ten_events_until_a_horizon_are_enough_and_nine_are_not() -> None:
    event, time = np.ones(40, dtype=bool), np.arange(1.0, 41.0)
    cohort = ResampledCohort(event, time, n_resamples=0)
    # The event at the horizon itself counts.
    assert cohort.too_few_events(10.0) is None
    assert cohort.too_few_events(9.5) == "not estimable: only 9 events until then, at least 10 are needed"


@pytest.mark.parametrize(
    ("n_events", "n_times", "n_folds", "message"),
    [
        (0, 0, 0, "There are no patients"),
        (2, 3, 3, "'event' has 2 values, but 'time' has 3"),
        (3, 3, 2, "'event' has 3 values, but 'fold' has 2"),
    ],
)
def test_no_patient_and_lengths_that_differ_are_refused(
    n_events: int, n_times: int, n_folds: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        ResampledCohort(np.ones(n_events, dtype=bool), np.ones(n_times), np.zeros(n_folds, dtype=int))
