"""Curves that mean what they say: predicted survival brought to the survival of patients not trained on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from nnunetv2_adamss.common.files import read_json, sha256_of, write_json
from nnunetv2_adamss.common.json_object import FAULTS
from nnunetv2_adamss.common.kinds import (
    Kind,
    by_name,
    faults_of_kind,
    is_count,
    is_number,
    is_positive,
    list_of,
    number_within,
)
from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.metrics.risk import risk_score_from_time
from nnunetv2_adamss.prediction.calibration_fit import correct, fit_correction
from nnunetv2_adamss.prediction.ensemble import Curves
from nnunetv2_adamss.survival.discrete_time.curve import predicted_time_at
from nnunetv2_adamss.survival.discrete_time.intervals import interval_labels
from nnunetv2_adamss.trained_folds.predicted_curves import same_times

_Parsed = TypeVar("_Parsed")

# What was done to curves already, as files of predictions say it.
CALIBRATION_COLUMN = "calibration"
NO_CALIBRATION, OF_MODEL, OF_HOSPITAL = "none", "model", "hospital"

CALIBRATION_FILE = "survival_calibration.json"
MIN_EVENTS = 10
# Slopes and intercepts beyond make steps of all curves. What is fitted stays far below: the prior expects a slope of
# 1, give or take 3, and logits end at 11.5.
MAX_SLOPE, MAX_INTERCEPT = 100.0, 1000.0


@dataclass(frozen=True)
class Calibration:
    """A correction of survival curves: ``logit(p'_j) = slope * logit(p_j) + intercept_j`` in each interval.

    p_j is the conditional probability of surviving interval j. The slope is positive, so whoever is predicted to do
    better in every interval stays ahead.

    Args:
        times: right edges of the intervals, ascending, in ``time_unit``.
        slope: 0.01 to 100 as it is fitted; under 1 where predictions are too sure of themselves.
        intercepts: one for each interval, in logits, -1000 to 1000.
        risk_threshold: the median ``risk_score`` of the calibrated curves that it was fitted on.
        n_cases: that it was fitted on.
        n_events: among them.
        time_unit: such as ``days``.
        folds: whose out-of-fold predictions it was fitted on; none for a file of predictions.
        sha256: of the files that it depends on, by a name for people.
        on: ``none`` if it corrects curves as networks give them, ``model`` if those that the model's own calibration
            has corrected already.
        version: of this package.

    Raises:
        ValueError: if a value is of another kind, a number is not finite or beyond its range, or the numbers do not
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
    ) -> "Calibration":
        """Fit to the outcomes of patients that the predicting models were not trained on.

        Maximum likelihood of the discrete-time model, Eq. (1), with its labels: an event beyond the last time
        counts as survived throughout. A light ridge keeps parameters finite: the slope is expected around 1 and each
        intercept around the mean of all, give or take 3, which weighs about as much as a tenth of an event. So an
        interval in which nobody died takes the correction of the others as far as its survivors allow; merging it with
        its neighbour would give two intervals of different length one hazard.

        choice: the slope is kept at 0.01 or above. Where the fit would take less, the predictions do not tell early
        from late events: then every curve is nearly the average of the cohort, and the order of risks is not reversed.

        Args:
            survival_curve: predicted S(t) at ``times``, ``(n_cases, n_times)``.
            event: True where the event was observed, ``(n_cases,)``.
            time: time to event or censoring, above 0, ``(n_cases,)``.
            times: ascending, above 0, in the unit of ``time``, ``(n_times,)``.
            time_unit: of both.
            folds: whose predictions these are.
            sha256: of what the predictions were made from.
            on: whether the curves are calibrated already.

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
        slope, intercepts = fit_correction(survival_curve, labels)
        calibrated = correct(survival_curve, slope, intercepts)
        return cls(
            times=tuple(map(float, times)),
            slope=slope,
            intercepts=tuple(map(float, intercepts)),
            risk_threshold=float(np.median(risk_score_from_time(predicted_time_at(calibrated, times)))),
            n_cases=len(time),
            n_events=int(event.sum()),
            time_unit=time_unit,
            folds=tuple(folds),
            sha256=dict(sha256 or {}),
            on=on,
        )

    def apply(self, survival_curve: Curves) -> Curves:
        """Calibrated S(t) of predicted S(t), both at ``times``, ``(..., n_times)``."""
        return correct(survival_curve, self.slope, np.asarray(self.intercepts))

    def check_times(self, times: NDArray[np.floating]) -> None:
        """Raise ValueError unless curves at these times are what this calibration corrects."""
        if not same_times(self.times, times):
            raise ValueError(
                f"The calibration was fitted at the times {_words(self.times)}, but the curves are given at "
                f"{_words(times)}. Calibrate again with adamss_calibrate."
            )

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, strings and lists, fit for JSON."""
        lists = ("times", "intercepts", "folds")
        return asdict(self) | {name: list(getattr(self, name)) for name in lists}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Calibration":
        """From plain data.

        Raises:
            ValueError: if it is not that of a calibration.
        """
        names = {item.name for item in fields(cls)}
        if not isinstance(values, Mapping) or set(values) != names:
            raise ValueError(f"A calibration has the entries {', '.join(sorted(names))}.")
        lists = ("times", "intercepts", "folds")
        return cls(**dict(values) | {name: tuple(values[name]) for name in lists})

    def changed_folds(self, checkpoints: Mapping[int | str, Path]) -> list[int | str]:
        """Folds whose checkpoint is not the one whose predictions were calibrated, by ``{fold: checkpoint file}``."""
        return [n for n, file in checkpoints.items() if self.sha256.get(f"fold {n}") != sha256_of(file)]


def write_calibration(file: Path, calibration: Calibration) -> None:
    """Write one calibration as JSON."""
    write_json(file, calibration.to_dict())


def read_calibration(file: Path) -> Calibration:
    """Read what :func:`write_calibration` wrote.

    Raises:
        ValueError: if it cannot be read or holds something else.
    """
    return _parsed(file, Calibration.from_dict)


def write_model_calibrations(model_folder: Path, calibrations: Mapping[str, Calibration]) -> None:
    """Write the calibrations of a model, by checkpoint name, into its folder."""
    content = {name: calibration.to_dict() for name, calibration in calibrations.items()}
    write_json(model_folder / CALIBRATION_FILE, content)


def read_model_calibrations(model_folder: Path) -> dict[str, Calibration]:
    """Read the calibrations of a model, by checkpoint name; empty if it was not calibrated.

    Raises:
        ValueError: if the file cannot be read or holds something else.
    """
    file = model_folder / CALIBRATION_FILE
    if not file.is_file():
        return {}
    return _parsed(
        file, lambda content: {name: Calibration.from_dict(values) for name, values in content.items()}
    )


def _parsed(file: Path, parse: Callable[[Any], _Parsed]) -> _Parsed:
    try:
        return parse(read_json(file))
    except (OSError, *FAULTS) as error:
        raise ValueError(f"{file} does not hold what adamss_calibrate writes: {error}") from error


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
}


def _words(times: Sequence[float] | NDArray[np.floating]) -> str:
    return listed([f"{time:g}" for time in times])
