"""One patient of the report, and the cohort to compare with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnunetv2_adamss.metrics.kaplan_meier import KaplanMeier, kaplan_meier
from nnunetv2_adamss.metrics.volume_and_uptake import TumourMeasures
from nnunetv2_adamss.report.patient_volumes import Channel

# Raises ValueError if the images are gone.
FindChannels = Callable[[], Sequence[Channel]]


@dataclass(frozen=True, eq=False)
class Patient:
    """One patient: images, prediction, and other data.

    Args:
        case_id: nnU-Net's.
        find_channels: finds the images.
        mask: of the tumour.
        times: of the curve, ascending, ``(n_times,)``.
        curve: S(t) at these times, ``(n_times,)``.
        predicted_time: mean restricted to the last of the times.
        facts: further names and values, in the order to show.
        covariates: names and values as they were measured.
        warnings: sentences.
        predicted_time_sd: spread between folds, if more than one predicts.
        outcome: time, and whether the event was observed, if known.
        fold_curves: S(t) of each fold, ``(n_folds, n_times)``; None if unknown.
        why_no_fold_curves: in words, if they are unknown.
    """

    case_id: str
    find_channels: FindChannels
    mask: Path
    times: NDArray[np.float64]
    curve: NDArray[np.float64]
    predicted_time: float
    facts: Sequence[tuple[str, str]] = ()
    covariates: Mapping[str, str] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    predicted_time_sd: float | None = None
    outcome: tuple[float, bool] | None = None
    fold_curves: NDArray[np.float64] | None = None
    why_no_fold_curves: str = "one fold predicts this patient"

    @property
    def last_time(self) -> float:
        """The time at which the curve ends."""
        return float(self.times[-1])


@dataclass(frozen=True, eq=False)
class Cohort:
    """Observed survival of the patients that a patient is compared with.

    Args:
        event: ``(n_cases,)``; True = observed.
        time: ``(n_cases,)``.
        name: of the cohort.
    """

    event: NDArray[np.bool_]
    time: NDArray[np.float64]
    name: str

    @cached_property
    def observed(self) -> KaplanMeier:
        """Kaplan-Meier curve of the cohort."""
        return kaplan_meier(self.event, self.time)


@dataclass(frozen=True, eq=False)
class Background:
    """Data that all shown patients share, and the cohort that they are compared with.

    Args:
        time_unit: of all times.
        endpoint: the event that is predicted, if it has a name.
        cohort: None if its outcomes cannot be read.
        why_no_cohort: a sentence, if they cannot.
        tumours: of the cohort's validation patients, as far as their images can be read.
        why_no_tumours: a sentence, if there are none.
        ignore_label: the value of masks that is no tumour, or None.
        predicted_by: folds and trainer, if they are the same for all patients.
        remarks: sentences about the curves of all patients.
    """

    time_unit: str
    endpoint: str | None = None
    cohort: Cohort | None = None
    why_no_cohort: str = ""
    tumours: Sequence[TumourMeasures] = ()
    why_no_tumours: str = ""
    ignore_label: int | None = None
    predicted_by: str = ""
    remarks: Sequence[str] = ()
