"""Patients and their bootstrap resamples, drawn once and shared by every measure so that these can be compared."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nnunetv2_adamss.metrics.estimate import MIN_EVENTS
from nnunetv2_adamss.metrics.step_curves import StepCurves, censoring_curves

DEFAULT_RESAMPLES = 1000
# Patients count 1 / share in Brier score and AUC, and 1 / share^2 in Uno's C: at most 10 and 100.
LEAST_UNDER_OBSERVATION = 0.1


class ResampledCohort:
    """Outcomes of patients, and how often each patient is in each resample.

    Where predictions come from the folds of a cross-validation, patients are drawn within folds and compared within
    folds. The variance between trainings is not in such resamples.

    Args:
        event: True where the event was observed, ``(n_cases,)``.
        time: to event or censoring, ``(n_cases,)``.
        fold: number of the fold that predicted each patient, ``(n_cases,)``; default all the same.
        n_resamples: how often as many patients are drawn with replacement.
        seed: of the draws.

    Attributes:
        folds: the places of each fold's patients, by number of the fold.
        counts: how often each patient counts, ``(1 + n_resamples, n_cases)``. Row 0 are the patients themselves.

    Raises:
        ValueError: if there is no patient or the lengths differ.
    """

    def __init__(
        self,
        event: NDArray[np.bool_],
        time: NDArray[np.floating],
        fold: NDArray[np.integer] | None = None,
        *,
        n_resamples: int = DEFAULT_RESAMPLES,
        seed: int = 0,
    ) -> None:
        fold = np.zeros(len(time), dtype=int) if fold is None else fold
        if not 0 < len(time) == len(event) == len(fold):
            raise ValueError(
                f"There are {len(event)} events, {len(time)} times and {len(fold)} folds, expected as many of each."
            )
        self.event, self.time = event, time
        self.folds = [np.flatnonzero(fold == number) for number in np.unique(fold)]
        self.counts = np.ones((1 + n_resamples, len(time)), dtype=np.float32)
        rng = np.random.default_rng(seed)
        for patients in self.folds:
            self.counts[1:, patients] = _draw(len(patients), n_resamples, rng)

    @cached_property
    def censoring(self) -> StepCurves:
        """Chance of being under observation beyond t, in the patients and in each resample."""
        return censoring_curves(self.counts, self.event, self.time)

    @cached_property
    def event_weights(self) -> NDArray[np.float64]:
        """1 over the chance of having been under observation up to one's own event, ``(1 + n_resamples, n_cases)``.

        It is taken just before the event, since the event was seen if censoring did not come before. 0 where a
        patient is censored or not in the resample.
        """
        chance = self.censoring.before(self.time)
        return np.divide(1, chance, out=np.zeros_like(chance), where=self.event & (self.counts > 0))

    @cached_property
    def follow_up_limit(self) -> float:
        """The first time from which on less than a tenth of the patients would be under observation without events.

        Beyond it a handful of patients would stand for all. It is at most the last time.
        """
        share = self.censoring.values[0, 1:]
        too_few = self.censoring.times[share < LEAST_UNDER_OBSERVATION]
        return float(too_few[0] if len(too_few) else self.time.max())

    def beyond_follow_up(self, horizon: float) -> str | None:
        """Why nothing can be said of a horizon, or None."""
        if horizon < self.follow_up_limit:
            return None
        return (
            f"beyond follow-up: from {self.follow_up_limit:g} on less than {LEAST_UNDER_OBSERVATION:.0%} of the "
            "patients are under observation"
        )

    def too_few_events(self, horizon: float, least: int = MIN_EVENTS) -> str | None:
        """Why no probability at a horizon can be judged, or None."""
        beyond = self.beyond_follow_up(horizon)
        n_events = int((self.event & (self.time <= horizon)).sum())
        if beyond or n_events >= least:
            return beyond
        return f"not estimable: only {n_events} events until then, at least {least} are needed"


def _draw(n_cases: int, n_resamples: int, rng: np.random.Generator) -> NDArray[np.int64]:
    draws = rng.integers(n_cases, size=(n_resamples, n_cases))
    places = draws + n_cases * np.arange(n_resamples)[:, None]
    return np.bincount(places.ravel(), minlength=places.size).reshape(n_resamples, n_cases)
