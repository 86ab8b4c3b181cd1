"""One patient's survival: event-free probability after 1, 2, 3 and 5 years, and the curve."""

import numpy as np
from numpy.typing import NDArray

from nnunetv2_adamss.display.blocks import Notice, Picture, Table
from nnunetv2_adamss.display.charts import BLUE, GREY, VERMILION, Chart, draw_curve, survival_axes
from nnunetv2_adamss.display.words import percent, probability, significant
from nnunetv2_adamss.evaluation.evaluate import default_horizons, horizon_text
from nnunetv2_adamss.report.shown_patient import Background, Cohort, Patient
from nnunetv2_adamss.survival.discrete_time.curve import curves_at

UNCALIBRATED = "Uncalibrated: the order of patients holds, the height of the curve does not."


def survival_table(patient: Patient, background: Background) -> Table | Notice:
    """Show the event-free probability of the patient, each fold and the cohort, as far as curve and follow-up reach."""
    unit, cohort = background.time_unit, background.cohort
    end, why = patient.last_time, "The curve ends"
    if cohort is not None and cohort.time.max() < end:
        end, why = float(cohort.time.max()), f"The follow-up of {cohort.name} ends"
    ends = f"{why} at {significant(end, 4)} {unit}"
    horizons = np.array([horizon for horizon in default_horizons(unit) if horizon <= end])
    if not horizons.size:
        said = f"{ends}, before the first year is over, so no year has a probability."
        return Notice(" ".join([said, *background.remarks]))
    columns = {
        "After": [horizon_text(horizon, unit) for horizon in horizons],
        "Event-free": [probability(p) for p in _survival_at(patient.curve, patient, horizons)],
        **_between_folds(patient, horizons),
        **_of_cohort(cohort, horizons),
    }
    notes = [
        background.why_no_cohort if cohort is None else f"Cohort: Kaplan-Meier estimate of {cohort.name}."
    ]
    notes.append(f"{ends}.")
    if background.predicted_by:
        notes.append(f"Predicted by {background.predicted_by}.")
    if patient.fold_curves is None:
        notes.append(f"No spread between folds: {patient.why_no_fold_curves}.")
    rows = list(zip(*columns.values(), strict=True))
    event = f" (event: {background.endpoint})" if background.endpoint else ""
    caption = f"Predicted event-free probability{event}"
    return Table(caption, list(columns), rows, [*notes, *background.remarks])


def _of_cohort(cohort: Cohort | None, horizons: NDArray[np.float64]) -> dict[str, list[str]]:
    return {} if cohort is None else {"Cohort": [probability(p) for p in cohort.observed.at(horizons)[0]]}


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
    unit, cohort = background.time_unit, background.cohort
    steps = np.unique(np.linspace(0, len(patient.times) - 1, 4).round().astype(int))
    said = ", ".join(
        f"{percent(patient.curve[i])} at {significant(patient.times[i], 4)} {unit}" for i in steps
    )
    folds = "" if patient.fold_curves is None else "; thin: each fold alone"
    over = "" if cohort is None else f" over the Kaplan-Meier curve of {cohort.name} (grey)"
    with Chart(4.6, 2.6) as chart:
        axes = chart.axes()[0, 0]
        if cohort is not None:
            draw_curve(axes, (cohort.name, cohort.event, cohort.time), GREY)
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
            " ".join([f"Predicted event-free probability (blue{folds}){over}.", *background.remarks]),
        )
