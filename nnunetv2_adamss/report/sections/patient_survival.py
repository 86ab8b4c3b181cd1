"""One patient's survival: event-free probability after 1, 2, 3 and 5 years, and the curve."""

import numpy as np
from numpy.typing import NDArray

from nnunetv2_adamss.display.blocks import Notice, Picture, Table
from nnunetv2_adamss.display.charts import BLUE, GREY, VERMILION, Chart, draw_curve, survival_axes
from nnunetv2_adamss.display.words import percent, probability, significant
from nnunetv2_adamss.evaluation.evaluate import default_horizons, horizon_text
from nnunetv2_adamss.report.shown_patient import Background, Patient
from nnunetv2_adamss.survival.discrete_time.curve import curves_at

_UNCALIBRATED = "Uncalibrated: the order of patients holds, the height of the curve does not."


def survival_table(patient: Patient, background: Background) -> Table | Notice:
    """Show the event-free probability of the patient, each fold and the cohort, as far as the curve reaches."""
    unit = background.time_unit
    horizons = np.array(
        [h for h in default_horizons(unit) if h <= min(patient.last_time, background.time.max())]
    )
    end = f"{significant(patient.last_time, 4)} {unit}"
    if not horizons.size:
        return Notice(
            f"The curve ends at {end}, before the first year is over, so no year has a probability."
        )
    columns = {
        "After": [horizon_text(horizon, unit) for horizon in horizons],
        "Event-free": [probability(p) for p in _survival_at(patient.curve, patient, horizons)],
        **_between_folds(patient, horizons),
        "Cohort": [probability(p) for p in background.observed.at(horizons)[0]],
    }
    notes = [f"Cohort: Kaplan-Meier estimate of {background.name}. Nothing is predicted beyond {end}."]
    if patient.fold_curves is None:
        notes.append(f"No spread between folds: {patient.why_no_fold_curves}.")
    if not background.is_calibrated:
        notes.append(_UNCALIBRATED)
    rows = list(zip(*columns.values(), strict=True))
    return Table("Predicted event-free probability", list(columns), rows, notes)


def _between_folds(patient: Patient, horizons: NDArray[np.float64]) -> dict[str, list[str]]:
    if patient.fold_curves is None:
        return {}
    folds = _survival_at(patient.fold_curves, patient, horizons)
    low, high = folds.min(axis=0), folds.max(axis=0)
    ranges = [f"{probability(a)} to {probability(b)}" for a, b in zip(low, high, strict=True)]
    return {f"Range of {len(folds)} folds": ranges}


def _survival_at(
    curve: NDArray[np.float64], patient: Patient, horizons: NDArray[np.float64]
) -> NDArray[np.float64]:
    return curves_at(curve, np.append(0.0, patient.times), horizons)


def survival_chart(patient: Patient, background: Background) -> Picture:
    """Draw the curves of the patient and the folds over the cohort's, and the outcome if it was observed."""
    unit = background.time_unit
    steps = np.unique(np.linspace(0, len(patient.times) - 1, 4).round().astype(int))
    said = ", ".join(
        f"{percent(patient.curve[i])} at {significant(patient.times[i], 4)} {unit}" for i in steps
    )
    folds = "" if patient.fold_curves is None else "; thin: each fold alone"
    with Chart(4.6, 2.6) as chart:
        axes = chart.axes()[0, 0]
        draw_curve(axes, (background.name, background.event, background.time), GREY)
        times = np.append(0, patient.times)
        for fold in () if patient.fold_curves is None else patient.fold_curves:
            axes.plot(times, np.append(1, fold), color=BLUE, linewidth=0.6, alpha=0.5)
        axes.plot(times, np.append(1, patient.curve), color=BLUE, marker="o", markersize=3,
                  label="this patient, predicted")  # fmt: skip
        last, outcome = patient.last_time, ""
        if patient.outcome is not None:
            time, is_event = patient.outcome
            label = "event observed" if is_event else "last seen without event"
            outcome = f" {label.capitalize()} at {significant(time, 4)} {unit}."
            axes.axvline(time, color=VERMILION, linestyle="-" if is_event else ":", label=label)
            last = max(last, time)
        survival_axes(axes, unit, 1.02 * last)
        axes.legend(fontsize=8, loc="best", frameon=True, edgecolor="none")
        return chart.picture(
            f"Predicted survival of {patient.case_id}: {said}.{outcome}",
            f"Predicted event-free probability (blue{folds}) over the Kaplan-Meier curve of {background.name} (grey)."
            f"{'' if background.is_calibrated else ' ' + _UNCALIBRATED}",
        )
