"""Progress of the extraction of a fold, and bars that show it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any

from tqdm import tqdm

from nnunetv2_adamss.common.quiet import no_bar

# A case may take minutes, in which only the time in the bar moves.
_REFRESH_SECONDS = 5.0
_MAX_SHOWN = 3


def _ignore(what: object) -> None:
    """Ignore progress, the default of all callbacks."""


@dataclass(frozen=True)
class Progress:
    """Callbacks for the progress of the extraction of a fold.

    Args:
        on_masks: gets the number of masks to predict.
        on_mask_done: gets each case whose mask is predicted.
        on_features: gets the number of cases to extract features from.
        on_case_done: gets each case whose features are done.
        on_working: gets the cases that are being extracted, at the beginning and whenever one is done.
    """

    on_masks: Callable[[int], object] = _ignore
    on_mask_done: Callable[[str], object] = _ignore
    on_features: Callable[[int], object] = _ignore
    on_case_done: Callable[[str], object] = _ignore
    on_working: Callable[[Sequence[str]], object] = _ignore


SILENT = Progress()


@contextmanager
def progress_bars() -> Iterator[Progress]:
    """Show a bar for masks and one for features, on a terminal only."""
    bars: list[tqdm[Any]] = []
    ended = Event()

    def begin(what: str, n_cases: int) -> None:
        bars.append(tqdm(total=n_cases, desc=what, unit="case", disable=no_bar()))

    def step(case_id: str) -> None:
        bars[-1].update()

    def show(case_ids: Sequence[str]) -> None:
        more = f" and {len(case_ids) - _MAX_SHOWN} more" if len(case_ids) > _MAX_SHOWN else ""
        bars[-1].set_postfix_str(", ".join(case_ids[:_MAX_SHOWN]) + more)

    def refresh() -> None:
        while not ended.wait(_REFRESH_SECONDS):
            for bar in bars[-1:]:
                bar.refresh()

    refresher = Thread(target=refresh, daemon=True)
    refresher.start()
    try:
        yield Progress(
            on_masks=lambda n: begin("Stage-I masks", n),
            on_mask_done=step,
            on_features=lambda n: begin("Radiomics", n),
            on_working=show,
            on_case_done=step,
        )
    finally:
        ended.set()
        refresher.join()
        for bar in bars:
            bar.close()
