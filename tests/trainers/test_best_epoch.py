"""Which epoch becomes checkpoint_best."""

import math

from hypothesis import given
from hypothesis import strategies as st

from nnunetv2_adamss.trainers.best_epoch import last_epoch_is_best


def test_the_first_epoch_is_best_even_without_a_number() -> None:
    assert last_epoch_is_best([math.nan], [math.nan])


def test_a_higher_score_is_better_whatever_the_average_says() -> None:
    assert last_epoch_is_best([0.1, 0.2], [1.0, 2.0])
    assert not last_epoch_is_best([0.1, 0.9, 0.8], [1.0, 1.0, 0.0])


def test_a_tie_goes_to_the_lower_loss_and_then_to_the_earlier_epoch() -> None:
    assert last_epoch_is_best([0.5, 0.5], [1.0, 0.9])
    assert not last_epoch_is_best([0.5, 0.5], [0.9, 1.0])
    assert not last_epoch_is_best([0.5, 0.5], [1.0, 1.0])


def test_a_score_that_is_not_finite_never_beats_a_number_and_is_beaten_by_any() -> None:
    assert not last_epoch_is_best([0.0, math.nan], [1.0, 0.0])
    assert not last_epoch_is_best([0.0, math.inf], [1.0, 0.0])
    assert last_epoch_is_best([math.nan, 0.0], [0.0, 1.0])
    assert last_epoch_is_best([0.5, 0.5], [math.nan, 1.0])


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(-1, 1)), min_size=1, max_size=20))
def test_the_last_epoch_called_best_is_the_best_of_all(epochs: list[tuple[float, float]]) -> None:
    scores, losses = zip(*epochs, strict=True)
    best = max(i for i in range(len(epochs)) if last_epoch_is_best(scores[: i + 1], losses[: i + 1]))
    assert (scores[best], -losses[best]) == max(zip(scores, (-loss for loss in losses), strict=True))
