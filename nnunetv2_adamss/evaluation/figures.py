"""The results as pictures."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from numpy.typing import NDArray

from nnunetv2_adamss.evaluation.evaluate import UNITS_A_YEAR, high_risk
from nnunetv2_adamss.evaluation.evaluated_patients import Patients
from nnunetv2_adamss.evaluation.evaluation import Evaluation
from nnunetv2_adamss.metrics.auc import HorizonAuc
from nnunetv2_adamss.metrics.calibration_at_horizon import Calibration
from nnunetv2_adamss.metrics.decision_curve import DecisionCurve
from nnunetv2_adamss.metrics.kaplan_meier import kaplan_meier

# Okabe and Ito's colours, which colour-blind people tell apart.
BLUE, VERMILION, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "0.5"
KAPLAN_MEIER, AUC, CALIBRATION, DECISION_CURVE = (
    f"{name}.png" for name in ("kaplan_meier", "auc", "calibration", "decision_curve")
)
FIGURES = (KAPLAN_MEIER, AUC, CALIBRATION, DECISION_CURVE)


def draw(evaluation: Evaluation, patients: Patients, threshold: float | None = None) -> Mapping[str, Figure]:
    """The pictures by file name; those without anything to show are left out.

    Args:
        evaluation: the results.
        patients: that they are of.
        threshold: as in the settings of the evaluation.
    """
    figures = {}
    unit = evaluation.cohort.time_unit
    is_high, _ = high_risk(patients, threshold)
    if is_high is not None:
        title = _groups_title(evaluation)
        figures[KAPLAN_MEIER] = kaplan_meier_figure(is_high, patients.event, patients.time, unit, title)
    aucs = [auc for auc in evaluation.auc if auc.value is not None]
    if aucs:
        figures[AUC] = auc_figure(aucs, unit)
    calibrations = [found for found in evaluation.calibration if found.groups]
    if calibrations:
        figures[CALIBRATION] = calibration_figure(calibrations, unit)
    curves = [curve for curve in evaluation.decision_curves if curve.thresholds]
    if curves:
        figures[DECISION_CURVE] = decision_curve_figure(curves, unit)
    return figures


def kaplan_meier_figure(
    is_high: NDArray[np.bool_],
    event: NDArray[np.bool_],
    time: NDArray[np.float64],
    time_unit: str,
    title: str = "",
) -> Figure:
    """Observed survival of low and high risk with 95% bands and the numbers at risk below.

    Args:
        is_high: ``(n_cases,)``.
        event: ``(n_cases,)``.
        time: in ``time_unit``, ``(n_cases,)``.
        time_unit: for the axis.
        title: above.
    """
    figure = Figure(figsize=(7, 5.5), layout="constrained")
    axes, table = figure.subplots(2, 1, sharex=True, height_ratios=[6, 1])
    ticks = [tick for tick in MaxNLocator(6).tick_values(0, time.max()) if 0 <= tick <= time.max()]
    rows = (("low", BLUE, "-", ~is_high), ("high", VERMILION, "--", is_high))
    for row, (name, colour, line, members) in enumerate(rows):
        if not members.any():
            continue
        curve = kaplan_meier(event[members], time[members])
        label = f"{name} risk ({members.sum()} patients, {event[members].sum()} events)"
        axes.step(curve.times, curve.survival_prob, line, where="post", color=colour, label=label)
        axes.fill_between(
            curve.times, curve.lower, curve.upper, step="post", color=colour, alpha=0.15, linewidth=0
        )
        for tick in ticks:
            n_at_risk = str((time[members] >= tick).sum())
            table.text(tick, 1 - row, n_at_risk, ha="center", va="center", color=colour)
    axes.set(ylabel="surviving without the event", ylim=(0, 1.02), xlim=(0, time.max()), title=title)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.legend(loc="lower left")
    table.set(ylim=(-0.6, 1.6), xlabel=f"time ({time_unit})", xticks=ticks, yticks=[1, 0])
    table.set_yticklabels(["low", "high"])
    table.set_title("at risk", loc="left", fontsize="medium")
    table.spines[["top", "right", "left"]].set_visible(False)
    table.tick_params(axis="y", length=0, pad=22)  # clear of the number at time 0
    return figure


def auc_figure(aucs: Sequence[HorizonAuc], time_unit: str) -> Figure:
    """AUC with its interval at each horizon.

    Args:
        aucs: that have a value.
        time_unit: for the axis.
    """
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    horizons = [auc.horizon for auc in aucs]
    axes.plot(horizons, np.array([auc.value for auc in aucs], dtype=np.float64), "o", color=BLUE)
    for auc in aucs:
        if auc.interval:
            axes.plot([auc.horizon] * 2, auc.interval, color=BLUE, linewidth=1)
    axes.axhline(0.5, color=GREY, linestyle=":", label="no better than chance")
    axes.set(xlabel=f"horizon ({time_unit})", ylabel="AUC (95% interval)", ylim=(0, 1))
    axes.set_xlim(0, max(horizons) * 1.08)
    axes.legend(loc="lower left")
    return figure


def calibration_figure(calibrations: Sequence[Calibration], time_unit: str) -> Figure:
    """Observed against predicted risk, a panel a horizon.

    Args:
        calibrations: that have groups.
        time_unit: of the horizons.
    """
    figure, panels = _panels(len(calibrations))
    for axes, found in zip(panels, calibrations, strict=True):
        axes.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="ideal")
        for group in found.groups:
            if group.observed.interval:
                axes.plot([group.predicted] * 2, group.observed.interval, color=BLUE, linewidth=1)
        observed = np.array([group.observed.value for group in found.groups], dtype=np.float64)
        predicted = [group.predicted for group in found.groups]
        axes.plot(predicted, observed, "o", color=BLUE, label="groups of equal size, 95% interval")
        uppers = [group.observed.interval[1] for group in found.groups if group.observed.interval]
        end = min(1.0, 1.1 * max([*predicted, *uppers]))
        axes.set(xlabel="predicted risk of the event", xlim=(0, end), ylim=(0, end), aspect="equal")
        axes.set_title(f"by {horizon_text(found.horizon, time_unit)}")
        _percent(axes.xaxis, axes.yaxis)
    panels[0].set_ylabel("observed (1 - Kaplan-Meier)")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def decision_curve_figure(curves: Sequence[DecisionCurve], time_unit: str) -> Figure:
    """Net benefit by threshold, a panel a horizon.

    Args:
        curves: that have thresholds.
        time_unit: of the horizons.
    """
    figure, panels = _panels(len(curves))
    for axes, curve in zip(panels, curves, strict=True):
        benefit = np.array([np.nan if value is None else value for value in curve.net_benefit])
        axes.plot(curve.thresholds, benefit, color=BLUE, label="treat by the prediction")
        axes.plot(curve.thresholds, curve.treat_all, "--", color=VERMILION, label="treat all")
        axes.axhline(0, color=GREY, linestyle=":", label="treat none")
        highest = max(np.nanmax(benefit, initial=0.0), curve.treat_all[0], 0.01)
        somebody = np.isfinite(benefit) & (benefit != 0)
        end = max(np.array(curve.thresholds)[somebody], default=1.0)
        axes.set(xlabel="risk from which a patient is treated", ylim=(-0.25 * highest, 1.1 * highest))
        axes.set_xlim(0, end)
        axes.set_title(f"by {horizon_text(curve.horizon, time_unit)}")
        _percent(axes.xaxis)
    panels[0].set_ylabel("net benefit (true positives per patient)")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def horizon_text(horizon: float, time_unit: str) -> str:
    """A horizon for people: in years where they are whole, else in its own unit."""
    years = horizon / UNITS_A_YEAR[time_unit]
    if abs(years - round(years)) < 1e-6 and round(years) > 0:
        return f"{round(years)} year{'s' if round(years) > 1 else ''}"
    return f"{horizon:g} {time_unit}"


def _groups_title(evaluation: Evaluation) -> str:
    groups = evaluation.risk_groups
    ratio = groups.hazard_ratio
    parts = [] if groups.log_rank_p is None else [f"log-rank P {p_text(groups.log_rank_p)}"]
    if ratio.value is not None and ratio.interval is not None:
        parts.append(f"hazard ratio {ratio.value:.2f} [{ratio.interval[0]:.2f}, {ratio.interval[1]:.2f}]")
    return ", ".join(parts)


def p_text(p_value: float) -> str:
    """A P value with its sign of comparison."""
    return "< 0.001" if p_value < 0.001 else f"= {p_value:.3f}"


def _panels(n_panels: int) -> tuple[Figure, Sequence[Axes]]:
    figure = Figure(figsize=(max(5.0, 4 * n_panels), 4.8), layout="constrained")
    return figure, figure.subplots(1, n_panels, squeeze=False)[0]


def _percent(*axes: object) -> None:
    for axis in axes:
        axis.set_major_formatter(PercentFormatter(1, decimals=0))  # type: ignore[attr-defined]
