"""Calibration of survival curves on the observed survival of patients that the model was not trained on."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnunetv2_adamss.common.files import sha256_of
from nnunetv2_adamss.common.kinds import (
    Kind,
    by_name,
    faults_of_kind,
    is_count,
    is_number,
    is_positive,
    list_of,
    number_within,
    optional,
)
from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.metrics.risk import risk_score_from_time
from nnunetv2_adamss.prediction.calibration_fit import (
    Correction,
    fit_correction,
    fit_ensemble_correction,
    limited_logits,
)
from nnunetv2_adamss.prediction.ensemble import Curves
from nnunetv2_adamss.survival.discrete_time.curve import predicted_time_at
from nnunetv2_adamss.survival.discrete_time.intervals import interval_labels
from nnunetv2_adamss.trained_folds.predicted_curves import same_times

# Earlier calibration of curves, as named in files of predictions.
CALIBRATION_COLUMN = "calibration"
NO_CALIBRATION, OF_MODEL, OF_HOSPITAL = "none", "model", "hospital"

MIN_EVENTS = 10
# Slopes and intercepts beyond turn all curves into steps. Fits stay far below: the prior expects a slope of
# 1, give or take 3, and logits end at 11.5.
MAX_SLOPE, MAX_INTERCEPT = 100.0, 1000.0


@dataclass(frozen=True)
class EnsembleCalibration:
    """The correction of the mean logits of several folds, in new patients.

    Args:
        slope: as in ``Calibration``, at least as steep as that of a single fold.
        intercepts: one for each interval, in logits.
        risk_threshold: the expected median ``risk_score`` of curves of the mean.

    Raises:
        ValueError: if a value has another type, or a number is not finite or beyond its range.
    """

    slope: float
    intercepts: tuple[float, ...]
    risk_threshold: float

    def __post_init__(self) -> None:
        kinds = {name: _KINDS[name] for name in ("slope", "intercepts", "risk_threshold")}
        if faults := faults_of_kind(vars(self), kinds):
            raise ValueError(f"The calibration of an ensemble has a slope above 0, and: {listed(faults)}.")


@dataclass(frozen=True)
class Calibration:
    """A correction of survival curves: ``logit(p'_j) = slope * logit(p_j) + intercept_j`` in each interval.

    p_j is the conditional probability of surviving interval j. The slope is positive, so a patient with a better
    prediction in every interval keeps it. It corrects the curves of one fold, or of a file; ``ensemble`` corrects those
    of several folds that predict the same new patients.

    Args:
        times: right edges of the intervals, ascending, in ``time_unit``.
        slope: 0.01 to 100 in fits; under 1 if predictions are overconfident.
        intercepts: one for each interval, in logits, -1000 to 1000.
        risk_threshold: the median ``risk_score`` of the calibrated curves that it was fitted on.
        n_cases: number of cases that it was fitted on.
        n_events: among them.
        time_unit: such as ``days``.
        folds: those with the out-of-fold predictions that it was fitted on; none for a file of predictions.
        sha256: of the files that it depends on, by readable name.
        on: ``none`` if it corrects the networks' own curves, ``model`` if curves that the model's calibration has
            corrected already.
        version: of this package.
        logit_limits: lowest and highest logit in each interval, since logits of curves that reach 0 or 1 are infinite;
            none in calibrations of version 0.1.
        ensemble: of several folds together; None for one fold, for files, and in calibrations of version 0.1, which are
            applied to each fold before the curves are averaged.

    Raises:
        ValueError: if a value has another type, a number is not finite or beyond its range, or the numbers do not
            fit together.
    """

    times: tuple[float, ...]
    slope: float
    intercepts: tuple[float, ...]
    risk_threshold: float
    n_cases: int
    n_events: int
    time_unit: str
    folds: tuple[int, ...] = ()
    sha256: Mapping[str, str] = field(default_factory=dict)
    on: str = NO_CALIBRATION
    version: str = field(default_factory=lambda: version("nnunetv2-adamss"))
    logit_limits: tuple[tuple[float, float], ...] = ()
    ensemble: EnsembleCalibration | None = None

    def __post_init__(self) -> None:
        if faults := faults_of_kind(vars(self), _KINDS):
            raise ValueError(
                f"A calibration has ascending times above 0, a slope above 0, and: {listed(faults)}."
            )
        is_ascending = bool(self.times) and (np.diff(self.times, prepend=0) > 0).all()
        if not is_ascending or len(self.intercepts) != len(self.times) or not self.slope > 0:
            raise ValueError(
                f"A calibration has ascending times above 0, an intercept for each and a slope above 0, not the times "
                f"{list(self.times)}, {len(self.intercepts)} intercepts and the slope {self.slope}."
            )
        n_limits = len(self.logit_limits)
        n_of_ensemble = len(self.times if self.ensemble is None else self.ensemble.intercepts)
        if n_limits not in (0, len(self.times)) or n_of_ensemble != len(self.times):
            raise ValueError(
                f"A calibration has limits and intercepts for each of its {len(self.times)} times, not {n_limits} "
                f"limits and {n_of_ensemble} intercepts of the ensemble."
            )

    @classmethod
    def fit(
        cls,
        survival_curve: Curves,
        event: NDArray[np.bool_],
        time: NDArray[np.floating],
        times: NDArray[np.floating],
        *,
        time_unit: str,
        folds: Sequence[int] = (),
        sha256: Mapping[str, str] | None = None,
        on: str = NO_CALIBRATION,
        n_averaged: int = 1,
    ) -> "Calibration":
        """Fit to the outcomes of patients that the predicting models were not trained on.

        Maximum likelihood of the discrete-time model, Eq. (1), with its labels: an event beyond the last time
        counts as survived throughout. A light ridge keeps parameters finite: the slope is expected around 1 and each
        intercept around the mean of all, give or take 3, which weighs about as much as a tenth of an event. So an
        interval without deaths takes the correction of the others as far as its survivors allow; merging it with its
        neighbour would give two intervals of different length one hazard.

        choice: the slope is kept at 0.01 or above. If the fit would be lower, the predictions do not separate early
        from late events: then every curve is nearly the average of the cohort, and the order of risks is not reversed.

        Args:
            survival_curve: predicted S(t) at ``times``, ``(n_cases, n_times)``.
            event: True where the event was observed, ``(n_cases,)``.
            time: time to event or censoring, above 0, ``(n_cases,)``.
            times: ascending, above 0, in the unit of ``time``, ``(n_times,)``.
            time_unit: of both.
            folds: those that made the predictions.
            sha256: of the predictions' sources.
            on: earlier calibration of the curves.
            n_averaged: folds that predict new patients together, each of which has made some of these curves.

        Raises:
            ValueError: with under 10 events up to the last time, or a curve that is not finite.
        """
        n_events = int((event & (time <= times[-1])).sum())
        if n_events < MIN_EVENTS:
            raise ValueError(
                f"A calibration needs at least {MIN_EVENTS} events; there are {n_events} up to {times[-1]:g} "
                f"{time_unit} among {len(time)} cases."
            )
        if not np.isfinite(survival_curve).all():
            raise ValueError("Predicted survival is not finite everywhere, so it cannot be calibrated.")
        labels = interval_labels(np.append(0.0, times), event, time)
        alone, ensemble = fit_correction(survival_curve, labels), None
        if n_averaged > 1:
            together, expected = fit_ensemble_correction(survival_curve, labels, alone, n_averaged)
            ensemble = EnsembleCalibration(
                together.slope, tuple(map(float, together.intercepts)), _median_risk(expected, times)
            )
        return cls(
            times=tuple(map(float, times)),
            slope=alone.slope,
            intercepts=tuple(map(float, alone.intercepts)),
            risk_threshold=_median_risk(alone.apply(survival_curve), times),
            n_cases=len(time),
            n_events=int(event.sum()),
            time_unit=time_unit,
            folds=tuple(folds),
            sha256=dict(sha256 or {}),
            on=on,
            logit_limits=() if alone.limits is None else tuple((float(a), float(b)) for a, b in alone.limits),
            ensemble=ensemble,
        )

    @property
    def _limits(self) -> NDArray[np.float64] | None:
        return np.array(self.logit_limits) if self.logit_limits else None

    def apply(self, survival_curve: Curves) -> Curves:
        """Calibrate S(t) of one fold, or of a file, at ``times``, ``(..., n_times)``."""
        return Correction(self.slope, np.asarray(self.intercepts), self._limits).apply(survival_curve)

    def apply_to_folds(self, fold_curves: Curves) -> tuple[Curves, Curves]:
        """Calibrate S(t) of several folds for the same new patients.

        Args:
            fold_curves: S(t) at ``times``, ``(n_folds, ..., n_times)``.

        Returns:
            The calibrated average, and each fold by the same correction, so that the average lies among the folds.
        """
        if self.ensemble is None:
            of_folds = self.apply(fold_curves)
            return of_folds.mean(axis=0), of_folds
        correction = Correction(self.ensemble.slope, np.asarray(self.ensemble.intercepts))
        logits = limited_logits(fold_curves, self._limits)
        return correction.apply_to_logits(logits.mean(axis=0)), correction.apply_to_logits(logits)

    @property
    def threshold_of_average(self) -> float:
        """Risk threshold for the average of :meth:`apply_to_folds`."""
        return self.risk_threshold if self.ensemble is None else self.ensemble.risk_threshold

    def check_times(self, times: NDArray[np.floating]) -> None:
        """Raise ValueError unless this calibration is for curves at these times."""
        if not same_times(self.times, times):
            raise ValueError(
                f"The calibration was fitted at the times {_words(self.times)}, but the curves are given at "
                f"{_words(times)}. Calibrate again with adamss_calibrate."
            )

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, strings and lists, fit for JSON."""
        values = asdict(self) | {name: list(getattr(self, name)) for name in ("times", "intercepts", "folds")}
        values["logit_limits"] = [list(limits) for limits in self.logit_limits]
        if self.ensemble is not None:
            values["ensemble"] = asdict(self.ensemble) | {"intercepts": list(self.ensemble.intercepts)}
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Calibration":
        """Read a calibration from plain data.

        Raises:
            ValueError: if it is not that of a calibration.
        """
        names = {item.name for item in fields(cls)}
        if not isinstance(values, Mapping) or not names - set(_NEW_IN_0_2) <= set(values) <= names:
            raise ValueError(f"A calibration has the entries {', '.join(sorted(names))}.")
        read = dict(values) | {name: tuple(values[name]) for name in ("times", "intercepts", "folds")}
        read["logit_limits"] = tuple(tuple(limits) for limits in values.get("logit_limits", ()))
        if (ensemble := values.get("ensemble")) is not None:
            read["ensemble"] = _ensemble(ensemble)
        return cls(**read)

    def changed_folds(self, checkpoints: Mapping[int | str, Path]) -> list[int | str]:
        """Return the folds whose checkpoint is not the calibrated one, given as ``{fold: checkpoint file}``."""
        return [n for n, file in checkpoints.items() if self.sha256.get(f"fold {n}") != sha256_of(file)]


def _median_risk(curve: Curves, times: NDArray[np.floating]) -> float:
    return float(np.median(risk_score_from_time(predicted_time_at(curve, times))))


def _ensemble(values: Any) -> EnsembleCalibration:
    names = [item.name for item in fields(EnsembleCalibration)]
    if not isinstance(values, Mapping) or set(values) != set(names):
        raise ValueError(f"The calibration of an ensemble has the entries {', '.join(names)}.")
    return EnsembleCalibration(**dict(values) | {"intercepts": tuple(values["intercepts"])})


def _is_limits(value: Any) -> bool:
    is_limit = number_within(-MAX_INTERCEPT, MAX_INTERCEPT)
    return (
        isinstance(value, list | tuple)
        and len(value) == 2
        and all(map(is_limit, value))
        and value[0] <= value[1]
    )


def _is_slope(value: Any) -> bool:
    return is_positive(value) and value <= MAX_SLOPE


_KINDS: dict[str, Kind] = {
    "times": list_of(is_number),
    "slope": _is_slope,
    "intercepts": list_of(number_within(-MAX_INTERCEPT, MAX_INTERCEPT)),
    "risk_threshold": is_number,
    "n_cases": is_count,
    "n_events": is_count,
    "time_unit": str,
    "folds": list_of(is_count),
    "sha256": by_name(str),
    "on": lambda value: value in (NO_CALIBRATION, OF_MODEL),
    "version": str,
    "logit_limits": list_of(_is_limits),
    "ensemble": optional(EnsembleCalibration),
}
_NEW_IN_0_2 = ("logit_limits", "ensemble")


def _words(times: Sequence[float] | NDArray[np.floating]) -> str:
    return listed([f"{time:g}" for time in times])
