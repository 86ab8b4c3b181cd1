"""Batches of which half are events and half censored cases (Section 4.2)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class SampleKey:
    """One training sample: a case, and the seed of its crop and affine transform."""

    case_id: str
    seed: tuple[int, ...]


class BalancedBatches:
    """An endless sequence of batches, each a pure function of seed and number.

    So a resumed training continues with the batches that it would have had, and several GPUs, each taking its own
    part of the same batches, never draw the same sample twice. Events and censored cases are each drawn in
    rounds: a case comes again only when all of its kind have been drawn.

    Args:
        events: training cases with an event, at least one.
        censored: censored training cases; if there are none, all samples are events.
        batch_size: of all GPUs together.
        places: the positions in each batch that this GPU takes.
        first_batch: number of the first batch.
        seed: of the whole sequence.
    """

    def __init__(
        self,
        events: Sequence[str],
        censored: Sequence[str],
        *,
        batch_size: int,
        places: range,
        first_batch: int,
        seed: int,
    ) -> None:
        self.kinds = [sorted(events), sorted(censored) or sorted(events)]
        self.batch_size = batch_size
        self.places = places
        self.first_batch = first_batch
        self.seed = seed

    def __iter__(self) -> Iterator[list[SampleKey]]:
        number = self.first_batch
        while True:
            yield self.batch(number)
            number += 1

    def batch(self, number: int) -> list[SampleKey]:
        """This GPU's part of the batch of this number, counted from 0."""
        return [self._sample(number * self.batch_size + place) for place in self.places]

    def _sample(self, number: int) -> SampleKey:
        # Even samples are events and odd ones censored, so an odd batch size balances over two batches.
        kind, draw = number % 2, number // 2
        cases = self.kinds[kind]
        this_round, place = divmod(draw, len(cases))
        order = np.random.default_rng((self.seed, kind, this_round)).permutation(len(cases))
        return SampleKey(cases[order[place]], (self.seed, 2, number))


def places_of_rank(batch_size: int, n_ranks: int, rank: int) -> range:
    """Positions in a batch that a GPU takes; the first GPUs take one more if the size does not divide."""
    share, rest = divmod(batch_size, n_ranks)
    first = rank * share + min(rank, rest)
    return range(first, first + share + (rank < rest))
