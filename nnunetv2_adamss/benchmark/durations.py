"""How long the steps that are left will take, from those that are done."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nnunetv2_adamss.benchmark.steps import Step
from nnunetv2_adamss.survival.files import read_json
from nnunetv2_adamss.survival.results.fold_results import SUMMARY_FILE
from nnunetv2_adamss.survival.results.training_log import read_training_log, training_seconds


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
            known = [seconds for fold in folds if (seconds := fold_seconds(fold)) is not None]
            if known:
                expected[step.kind] = float(np.mean(known))
    return expected


def fold_seconds(fold_folder: Path) -> float | None:
    """How long a finished fold was trained or fitted, of either stage; None where it does not say."""
    summary = fold_folder / SUMMARY_FILE
    if summary.is_file():
        training = read_json(summary).get("training") or {}
        seconds: float | None = training.get("seconds")
        return seconds
    with suppress(ValueError, KeyError):
        log, is_finished = read_training_log(fold_folder)
        return training_seconds(log) if is_finished else None
    return None


@dataclass(frozen=True)
class TimeLeft:
    """What is known of the time until all is done.

    Args:
        seconds: of the steps whose duration is known, at so many at once.
        n_unknown: steps of which no duration is known.
    """

    seconds: float
    n_unknown: int


def time_left(steps: Iterable[Step], expected: Mapping[str, float], n_workers: int) -> TimeLeft:
    """Of the steps that are not done."""
    left = [step for step in steps if not step.is_done]
    known = [expected[step.kind] for step in left if step.kind in expected]
    return TimeLeft(sum(known) / n_workers, len(left) - len(known))
