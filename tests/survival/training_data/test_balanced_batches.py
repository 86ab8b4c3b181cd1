"""Batches of half events and half censored cases, as a pure function of seed and number."""

from collections import Counter
from itertools import islice

import pytest

from nnunetv2_adamss.survival.training_data.balanced_batches import BalancedBatches, places_of_rank

EVENTS = [f"event{i}" for i in range(3)]
CENSORED = [f"censored{i}" for i in range(7)]


def make_batches(
    batch_size: int = 2, places: range | None = None, first_batch: int = 0, seed: int = 0
) -> BalancedBatches:
    return BalancedBatches(
        EVENTS,
        CENSORED,
        batch_size=batch_size,
        places=range(batch_size) if places is None else places,
        first_batch=first_batch,
        seed=seed,
    )


def cases(batches: BalancedBatches, n: int) -> list[list[str]]:
    return [[key.case_id for key in batch] for batch in islice(batches, n)]


@pytest.mark.parametrize("batch_size", [2, 4])
def test_every_batch_is_half_events_and_half_censored_cases(batch_size: int) -> None:
    for batch in cases(make_batches(batch_size), 50):
        assert sum(case_id.startswith("event") for case_id in batch) == batch_size / 2


def test_an_odd_batch_size_balances_over_two_batches() -> None:
    for first, second in zip(*[iter(cases(make_batches(3), 40))] * 2, strict=True):
        assert sum(case_id.startswith("event") for case_id in first + second) == 3


def test_cases_are_drawn_in_rounds_so_that_all_are_seen_equally_often() -> None:
    drawn = Counter(case_id for batch in cases(make_batches(), 21) for case_id in batch)
    assert set(drawn[case_id] for case_id in EVENTS) == {7}
    assert set(drawn[case_id] for case_id in CENSORED) == {3}


def test_a_resumed_sequence_continues_where_it_was() -> None:
    assert cases(make_batches(first_batch=5), 10) == cases(make_batches(), 15)[5:]
    assert [k.seed for k in make_batches().batch(5)] == [k.seed for k in make_batches(first_batch=3).batch(5)]


def test_no_two_samples_share_a_seed_and_another_seed_gives_other_batches() -> None:
    seeds = [key.seed for batch in islice(make_batches(), 100) for key in batch]
    assert len(set(seeds)) == 200
    assert cases(make_batches(seed=1), 10) != cases(make_batches(), 10)


def test_with_one_case_a_gpu_even_ranks_draw_events_and_odd_ranks_censored_cases() -> None:
    for rank in range(4):
        places = places_of_rank(batch_size=4, n_ranks=4, rank=rank)
        kind = "event" if rank % 2 == 0 else "censored"
        own = cases(make_batches(4, places), 20)
        assert all(len(batch) == 1 and batch[0].startswith(kind) for batch in own)


@pytest.mark.parametrize(("batch_size", "n_ranks"), [(2, 2), (5, 2), (7, 3), (4, 4)])
def test_the_gpus_together_draw_the_batch_of_one_gpu(batch_size: int, n_ranks: int) -> None:
    parts = [
        make_batches(batch_size, places_of_rank(batch_size, n_ranks, rank)).batch(3)
        for rank in range(n_ranks)
    ]
    assert [key for part in parts for key in part] == make_batches(batch_size).batch(3)


def test_without_censored_cases_every_sample_is_an_event() -> None:
    batches = BalancedBatches(EVENTS, [], batch_size=2, places=range(2), first_batch=0, seed=0)
    assert all(case_id in EVENTS for batch in cases(batches, 10) for case_id in batch)
