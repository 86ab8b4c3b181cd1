"""What is told while a fold is extracted, and bars that show it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tqdm import tqdm


def _ignore(what: object) -> None:
    """The default of what is told of progress."""


@dataclass(frozen=True)
class Progress:
    """What is told while a fold is extracted.

    Args:
        on_masks: how many masks are going to be predicted.
        on_mask_done: each case whose mask is predicted.
        on_features: of how many cases features are going to be extracted.
        on_case_done: each case whose features are there.
    """

    on_masks: Callable[[int], object] = _ignore
    on_mask_done: Callable[[str], object] = _ignore
    on_features: Callable[[int], object] = _ignore
    on_case_done: Callable[[str], object] = _ignore


SILENT = Progress()


@contextmanager
def progress_bars() -> Iterator[Progress]:
    """A bar for masks and one for features, on a terminal only."""
    bars: list[tqdm[Any]] = []

    def begin(what: str, n_cases: int) -> None:
        bars.append(tqdm(total=n_cases, desc=what, unit="case", disable=None))

    def step(case_id: str) -> None:
        bars[-1].update()

    try:
        yield Progress(lambda n: begin("Stage-I masks", n), step, lambda n: begin("Radiomics", n), step)
    finally:
        for bar in bars:
            bar.close()
