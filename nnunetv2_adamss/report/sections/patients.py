"""A page for each patient: images, mask, survival curve, and what speaks against believing them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnunetv2_adamss.common.progress import Progress, silent
from nnunetv2_adamss.display.blocks import Block, Columns, Facts, Notice, Picture, Section, Table
from nnunetv2_adamss.display.charts import BLUE, GREY, VERMILION, Chart, draw_curve, survival_axes
from nnunetv2_adamss.display.parts import section
from nnunetv2_adamss.display.words import percent, significant
from nnunetv2_adamss.report.patient_pictures import Channel, patient_picture


@dataclass(frozen=True, eq=False)
class Patient:
    """What is known and predicted of one patient.

    Args:
        case_id: nnU-Net's.
        channels: images.
        mask: of the tumour.
        times: at which the curve is known, ascending, ``(n_times,)``.
        curve: S(t) at these times, ``(n_times,)``.
        predicted_time: mean restricted to the last of the times.
        facts: further names and values, in the order to show.
        covariates: names and values as they were measured.
        warnings: sentences.
        predicted_time_sd: spread between folds, if more than one predicts.
        outcome: time, and whether the event was observed, if known.
    """

    case_id: str
    channels: Sequence[Channel]
    mask: Path
    times: NDArray[np.float64]
    curve: NDArray[np.float64]
    predicted_time: float
    facts: Sequence[tuple[str, str]] = ()
    covariates: Mapping[str, str] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    predicted_time_sd: float | None = None
    outcome: tuple[float, bool] | None = None


@dataclass(frozen=True, eq=False)
class Background:
    """The cohort that a patient's curve is shown against.

    Args:
        event: ``(n_cases,)``; True = observed.
        time: ``(n_cases,)``.
        time_unit: of all times.
        is_calibrated: whether the patients' curves are.
        name: what the cohort is.
    """

    event: NDArray[np.bool_]
    time: NDArray[np.float64]
    time_unit: str
    is_calibrated: bool
    name: str


def patient_pages(
    patients: Sequence[Patient], background: Background, progress: Progress = silent
) -> Iterator[Block]:
    """One section a patient.

    Args:
        patients: in the order to show.
        background: to compare with.
        progress: told of the pages.
    """
    for number, patient in enumerate(progress(patients, "patients"), start=1):
        yield _page(f"patient-{number}", patient, background)


def _page(identifier: str, patient: Patient, background: Background) -> Section:
    parts = (
        partial(_warnings, patient),
        partial(_images, patient),
        partial(_curve_and_facts, patient, background),
    )
    return section(identifier, patient.case_id, parts, begins_page=True)


def _warnings(patient: Patient) -> Iterator[Block]:
    for warning in patient.warnings:
        yield Notice(warning, is_caution=True)


def _images(patient: Patient) -> Iterator[Block]:
    yield patient_picture(patient.case_id, patient.channels, patient.mask)


def _curve_and_facts(patient: Patient, background: Background) -> Iterator[Block]:
    unit, last = background.time_unit, float(patient.times[-1])
    spread = patient.predicted_time_sd
    rows = [
        ("Predicted mean time up to " + f"{significant(last, 4)} {unit}", _time(patient.predicted_time, unit))
    ]
    if spread is not None and np.isfinite(spread):
        rows.append(("Spread between folds (standard deviation)", _time(spread, unit)))
    rows += patient.facts
    if patient.outcome is not None:
        time, is_event = patient.outcome
        rows.append(
            ("What happened", f"{'event after' if is_event else 'no event up to'} {_time(time, unit)}")
        )
    beside: list[Block] = [Facts(rows)]
    if patient.covariates:
        beside.append(
            Table("Covariates, as measured", ["Covariate", "Value"], list(patient.covariates.items()))
        )
    yield Columns([[_curve(patient, background)], beside])


def _time(value: float, unit: str) -> str:
    return f"{significant(value, 4)} {unit}"


def _curve(patient: Patient, background: Background) -> Picture:
    unit, last = background.time_unit, float(patient.times[-1])
    steps = np.unique(np.linspace(0, len(patient.times) - 1, 4).round().astype(int))
    said = ", ".join(
        f"{percent(patient.curve[i])} at {significant(patient.times[i], 4)} {unit}" for i in steps
    )
    calibration = (
        "" if background.is_calibrated else " Uncalibrated: the order of patients holds, the height does not."
    )
    with Chart(4.6, 3.0) as chart:
        axes = chart.axes()[0, 0]
        draw_curve(axes, (background.name, background.event, background.time), GREY)
        times, curve = np.append(0, patient.times), np.append(1, patient.curve)
        axes.plot(times, curve, color=BLUE, marker="o", markersize=3, label="this patient, predicted")
        if patient.outcome is not None:
            time, is_event = patient.outcome
            label = "event observed" if is_event else "last seen without event"
            axes.axvline(min(time, last), color=VERMILION, linestyle="-" if is_event else ":", label=label)
        survival_axes(axes, unit, last)
        axes.legend(fontsize=8, loc="best")
        return chart.picture(
            f"Predicted survival of {patient.case_id}: {said}.",
            f"Predicted event-free probability (blue) over the Kaplan-Meier curve of {background.name} (grey)."
            f"{calibration}",
        )
