"""How long the steps that are left will take, from those that are done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nnunetv2_adamss.benchmark.steps import Step
from nnunetv2_adamss.trained_folds.trained_fold import TrainedFold


def expected_seconds(steps: Sequence[Step], measured: Mapping[str, float]) -> dict[str, float]:
    """Seconds by kind of step: as measured by this benchmark, or else as finished folds of the same training say.

    Args:
        steps: of any kind.
        measured: by kind.

    Returns:
        Only of those kinds that have run.
    """
    expected = dict(measured)
    for step in steps:
        if step.kind not in expected:
            folds = step.evidence[0].parents[1].glob("fold_*") if step.resumes else []
            known = [seconds for fold in folds if (seconds := TrainedFold(fold).seconds) is not None]
            if known:
                expected[step.kind] = float(np.mean(known))
    return expected


def duration_text(seconds: float) -> str:
    """As people say it."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


@dataclass(frozen=True)
class TimeLeft:
    """What is known of the time until all is done.

    Args:
        seconds: of the steps whose duration is known: all of them shared by the workers, but no less than the longest
            chain of steps that wait for each other.
        n_unknown: steps of which no duration is known.
    """

    seconds: float
    n_unknown: int


def time_left(steps: Sequence[Step], expected: Mapping[str, float], n_workers: int) -> TimeLeft:
    """Of the steps that are not done, each of which comes after those that it waits for.

    Args:
        steps: in an order in which they can be done.
        expected: seconds by kind.
        n_workers: steps at once.
    """
    left = [step for step in steps if not step.is_done]
    known = [expected[step.kind] for step in left if step.kind in expected]
    end: dict[str, float] = {}  # of each step, with as many workers as one could want
    for step in left:
        begin = max((end.get(name, 0.0) for name in (*step.needs, *step.after)), default=0.0)
        end[step.name] = begin + expected.get(step.kind, 0.0)
    return TimeLeft(max(sum(known) / n_workers, *end.values(), 0.0), len(left) - len(known))
