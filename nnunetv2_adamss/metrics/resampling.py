"""Patients and their bootstrap resamples, drawn once and shared by all metrics so that these can be compared."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nnunetv2_adamss.metrics.estimate import MIN_EVENTS
from nnunetv2_adamss.metrics.patient_columns import Column, check_there_are_patients, patient_columns
from nnunetv2_adamss.metrics.settings import check_settings
from nnunetv2_adamss.metrics.step_curves import StepCurves, censoring_curves

DEFAULT_RESAMPLES = 1000
# Patients count 1 / share in Brier score and AUC, and 1 / share^2 in Uno's C: at most 10 and 100.
LEAST_UNDER_OBSERVATION = 0.1


class ResampledCohort:
    """Outcomes of patients, and the number of times that each patient is in each resample.

    Where predictions come from the folds of a cross-validation, patients are drawn within folds and compared within
    folds. Such resamples do not include the variance between trainings.

    Args:
        event: True where the event was observed, ``(n_cases,)``.
        time: to event or censoring, ``(n_cases,)``.
        fold: number of the fold that predicted each patient, ``(n_cases,)``; default all the same.
        n_resamples: number of resamples, in each of which as many patients are drawn with replacement; 0 for no
            intervals.
        seed: of the draws.

    Attributes:
        folds: the positions of each fold's patients, by number of the fold.
        counts: weight of each patient, ``(1 + n_resamples, n_cases)``. Row 0 are the patients themselves.

    Raises:
        ValueError: if there is no patient, or columns and settings are not as :func:`patient_columns` and
            :func:`check_settings` accept them.
    """

    def __init__(
        self,
        event: Column,
        time: Column,
        fold: Column | None = None,
        *,
        n_resamples: int = DEFAULT_RESAMPLES,
        seed: int = 0,
    ) -> None:
        n_resamples, seed = check_settings(n_resamples=n_resamples, seed=seed)
        self._given: dict[str, Column] = {"event": event, "time": time}
        if fold is not None:
            self._given["fold"] = fold
        self.event, self.time, *folds = patient_columns(**self._given)
        check_there_are_patients(self.time)
        numbers = folds[0] if folds else np.zeros(len(self.time))
        self.folds = [np.flatnonzero(numbers == number) for number in np.unique(numbers)]
        self.counts = np.ones((1 + n_resamples, len(self.time)), dtype=np.float32)
        rng = np.random.default_rng(seed)
        for patients in self.folds:
            self.counts[1:, patients] = _draw(len(patients), n_resamples, rng)

    def column(self, name: str, values: Column) -> NDArray[np.float64]:
        """Another column of the same patients, such as their risk scores, ``(n_cases,)``.

        Args:
            name: for messages.
            values: in the order of the patients; a pandas column has the index of the others.

        Raises:
            ValueError: if it is not as :func:`patient_columns` accepts it.
        """
        return patient_columns(**{name: values}, **self._given)[0]

    @cached_property
    def censoring(self) -> StepCurves:
        """Chance of being under observation beyond t, in the patients and in each resample."""
        return censoring_curves(self.counts, self.event, self.time)

    @cached_property
    def event_weights(self) -> NDArray[np.float64]:
        """Inverse of the chance of being under observation up to one's own event, ``(1 + n_resamples, n_cases)``.

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
        """Return the reason why nothing can be estimated at a horizon, or None."""
        if horizon < self.follow_up_limit:
            return None
        return (
            f"beyond follow-up: from {self.follow_up_limit:g} on less than {LEAST_UNDER_OBSERVATION:.0%} of the "
            "patients are under observation"
        )

    def too_few_events(self, horizon: float, least: int = MIN_EVENTS) -> str | None:
        """Return the reason why no probability at a horizon can be evaluated, or None."""
        beyond = self.beyond_follow_up(horizon)
        n_events = int((self.event & (self.time <= horizon)).sum())
        if beyond or n_events >= least:
            return beyond
        return f"not estimable: only {n_events} events until then, at least {least} are needed"


def _draw(n_cases: int, n_resamples: int, rng: np.random.Generator) -> NDArray[np.int64]:
    draws = rng.integers(n_cases, size=(n_resamples, n_cases))
    places = draws + n_cases * np.arange(n_resamples)[:, None]
    return np.bincount(places.ravel(), minlength=places.size).reshape(n_resamples, n_cases)
