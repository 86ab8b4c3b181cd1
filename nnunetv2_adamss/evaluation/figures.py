"""Draw the results as pictures."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from nnunetv2_adamss.display.charts import BLUE, GREY, VERMILION, WIDTH, Chart, draw_kaplan_meier
from nnunetv2_adamss.display.words import estimate, number, p_value
from nnunetv2_adamss.evaluation.evaluate import high_risk, horizon_text
from nnunetv2_adamss.evaluation.evaluated_patients import Patients
from nnunetv2_adamss.evaluation.evaluation import Evaluation
from nnunetv2_adamss.metrics.auc import HorizonAuc
from nnunetv2_adamss.metrics.calibration_at_horizon import Calibration
from nnunetv2_adamss.metrics.decision_curve import DecisionCurve

_AtHorizon = TypeVar("_AtHorizon", Calibration, DecisionCurve)
KAPLAN_MEIER, AUC, CALIBRATION, DECISION_CURVE = (
    f"{name}.png" for name in ("kaplan_meier", "auc", "calibration", "decision_curve")
)
FIGURES = (KAPLAN_MEIER, AUC, CALIBRATION, DECISION_CURVE)


def draw(evaluation: Evaluation, patients: Patients, threshold: float | None = None) -> Mapping[str, Figure]:
    """Return the pictures by file name; those without results are left out.

    Args:
        evaluation: the results.
        patients: of the results.
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
    """Draw observed survival of patients of low and high risk.

    Args:
        is_high: ``(n_cases,)``.
        event: ``(n_cases,)``.
        time: in ``time_unit``, ``(n_cases,)``.
        time_unit: for the axis.
        title: above.
    """
    groups = [
        (f"{name} risk", event[part], time[part]) for name, part in (("low", ~is_high), ("high", is_high))
    ]
    with Chart(WIDTH, 4.2) as chart:
        axes = chart.axes()[0, 0]
        draw_kaplan_meier(axes, groups, time_unit)
        axes.set_title(title)
        return chart.figure


def auc_figure(aucs: Sequence[HorizonAuc], time_unit: str) -> Figure:
    """Draw the AUC with its interval at each horizon.

    Args:
        aucs: those with a value.
        time_unit: for the axis.
    """
    horizons = [auc.horizon for auc in aucs]
    with Chart(WIDTH, 3.6) as chart:
        axes = chart.axes()[0, 0]
        axes.plot(horizons, np.array([auc.value for auc in aucs], dtype=np.float64), "o", color=BLUE)
        for auc in aucs:
            if auc.interval:
                axes.plot([auc.horizon] * 2, auc.interval, color=BLUE, linewidth=1)
        axes.axhline(0.5, color=GREY, linestyle=":", label="no better than chance")
        axes.set(xlabel=f"horizon ({time_unit})", ylabel="AUC (95% interval)", ylim=(0, 1))
        axes.set_xlim(0, max(horizons) * 1.08)
        axes.legend(loc="lower left")
        return chart.figure


def calibration_figure(calibrations: Sequence[Calibration], time_unit: str) -> Figure:
    """Draw observed against predicted risk, one panel a horizon.

    Args:
        calibrations: those with groups.
        time_unit: of the horizons.
    """
    return _panels(calibrations, time_unit, _draw_calibration, "observed (1 - Kaplan-Meier)")


def _draw_calibration(axes: Axes, found: Calibration) -> None:
    axes.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="ideal")
    intervals = [(g.predicted, g.observed.interval) for g in found.groups if g.observed.interval]
    for risk, interval in intervals:
        axes.plot([risk] * 2, interval, color=BLUE, linewidth=1, clip_on=False)
    observed = np.array([group.observed.value for group in found.groups], dtype=np.float64)
    predicted = [group.predicted for group in found.groups]
    axes.plot(predicted, observed, "o", color=BLUE, clip_on=False, label="groups of equal size, 95% interval")
    end = min(1.0, 1.1 * max([*predicted, *(upper for _, (_, upper) in intervals)]))
    axes.set(xlabel="predicted risk of the event", xlim=(0, end), ylim=(0, end), aspect="equal")
    _percent(axes.xaxis, axes.yaxis)


def decision_curve_figure(curves: Sequence[DecisionCurve], time_unit: str) -> Figure:
    """Draw net benefit by threshold, one panel a horizon.

    Args:
        curves: those with thresholds.
        time_unit: of the horizons.
    """
    return _panels(curves, time_unit, _draw_decision_curve, "net benefit (true positives per patient)")


def _draw_decision_curve(axes: Axes, curve: DecisionCurve) -> None:
    benefit = np.array([np.nan if value is None else value for value in curve.net_benefit])
    axes.plot(curve.thresholds, benefit, color=BLUE, label="treat by the prediction")
    axes.plot(curve.thresholds, curve.treat_all, "--", color=VERMILION, label="treat all")
    axes.axhline(0, color=GREY, linestyle=":", label="treat none")
    highest = max(np.nanmax(benefit, initial=0.0), curve.treat_all[0], 0.01)
    somebody = np.isfinite(benefit) & (benefit != 0)
    end = max(np.array(curve.thresholds)[somebody], default=1.0)
    axes.set(xlabel="risk from which a patient is treated", ylim=(-0.25 * highest, 1.1 * highest))
    axes.set_xlim(0, end)
    _percent(axes.xaxis)


def _groups_title(evaluation: Evaluation) -> str:
    groups = evaluation.risk_groups
    parts = [] if groups.log_rank_p is None else [f"log-rank P {p_value(groups.log_rank_p, '= ')}"]
    if groups.hazard_ratio.interval is not None:
        parts.append(f"hazard ratio {estimate(groups.hazard_ratio, number)}")
    return ", ".join(parts)


def _panels(
    found: Sequence[_AtHorizon], time_unit: str, draw: Callable[[Axes, _AtHorizon], None], ylabel: str
) -> Figure:
    """Draw one panel a horizon, two side by side, since more would be too small to read."""
    n_columns = min(len(found), 2)
    n_rows = math.ceil(len(found) / n_columns)
    with Chart(WIDTH if n_columns > 1 else 5, 3 * n_rows + 0.3) as chart:
        grid = chart.axes(n_rows, n_columns)
        for axes, one in zip(grid.flat, found, strict=False):
            draw(axes, one)
            axes.set_title(f"by {horizon_text(one.horizon, time_unit)}")
        for unused in grid.flat[len(found) :]:
            unused.axis("off")
        for axes in grid[:, 0]:
            axes.set_ylabel(ylabel)
        handles, labels = grid[0, 0].get_legend_handles_labels()
        chart.figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
        return chart.figure


def _percent(*axes: object) -> None:
    for axis in axes:
        axis.set_major_formatter(PercentFormatter(1, decimals=0))  # type: ignore[attr-defined]
