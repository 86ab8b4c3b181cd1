"""Mean predicted survival against the Kaplan-Meier estimate, before and after calibration, in numbers and a picture."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from nnunetv2_adamss.display.charts import BLUE, INK, ORANGE, Chart, save_png
from nnunetv2_adamss.metrics.kaplan_meier import kaplan_meier
from nnunetv2_adamss.prediction.calibration import Calibration
from nnunetv2_adamss.prediction.calibration_fit import fit_correction
from nnunetv2_adamss.prediction.cross_fit import cross_fitted
from nnunetv2_adamss.prediction.ensemble import Curves
from nnunetv2_adamss.survival.discrete_time.intervals import interval_labels


@dataclass(frozen=True, eq=False)
class CalibrationCheck:
    """A calibration checked on the patients that it was fitted on, and by cross-fitting on the other folds.

    Args:
        calibration: the fitted one.
        observed: Kaplan-Meier estimate at the calibration's times; NaN beyond follow-up, ``(n_times,)``.
        interval: its 95% interval, lower and upper, ``(2, n_times)``.
        before: mean predicted survival, ``(n_times,)``.
        after: mean survival, calibrated on these same patients (apparent), ``(n_times,)``.
        cross_fitted: mean survival of each fold's patients as calibrated on the other folds, ``(n_times,)``; None if it
            cannot be computed.
        cross_fitted_slope: slope of a further calibration of these curves, 1 at best; None like them.
        why_not_cross_fitted: in words; empty if there is one.
    """

    calibration: Calibration
    observed: NDArray[np.float64]
    interval: NDArray[np.float64]
    before: NDArray[np.float64]
    after: NDArray[np.float64]
    cross_fitted: NDArray[np.float64] | None = None
    cross_fitted_slope: float | None = None
    why_not_cross_fitted: str = ""

    @classmethod
    def of(
        cls,
        calibration: Calibration,
        survival_curve: Curves,
        event: NDArray[np.bool_],
        time: NDArray[np.floating],
        fold: NDArray[np.integer] | None = None,
    ) -> "CalibrationCheck":
        """Check curves ``(n_cases, n_times)`` at the calibration's times; outcomes and folds are ``(n_cases,)``."""
        times = np.asarray(calibration.times)
        observed = kaplan_meier(event, time).at(times)
        apparent = cls(
            calibration,
            observed[0],
            observed[1:],
            survival_curve.mean(axis=0),
            calibration.apply(survival_curve).mean(axis=0),
        )
        if fold is None:
            return replace(
                apparent, why_not_cross_fitted="The file does not name the fold that predicted each patient."
            )
        try:
            curves = cross_fitted(survival_curve, event, time, fold, times)
        except ValueError as error:
            return replace(apparent, why_not_cross_fitted=str(error))
        slope = fit_correction(curves, interval_labels(np.append(0.0, times), event, time)).slope
        return replace(apparent, cross_fitted=curves.mean(axis=0), cross_fitted_slope=slope)


def plot_calibration(checks: Mapping[str, CalibrationCheck], file: Path) -> None:
    """Draw one panel for each check, by name, as PNG."""
    with Chart(5.5 * len(checks), 4.5) as chart:
        panels = chart.axes(1, len(checks), sharey=True)[0]
        for axes, (name, check) in zip(panels, checks.items(), strict=True):
            _draw(axes, name, check)
        panels[0].set_ylabel("survival")
        panels[0].legend(loc="lower left")
        save_png(chart.figure, file)


def _draw(axes: Axes, name: str, check: CalibrationCheck) -> None:
    times = np.append(0, check.calibration.times)
    observed, low, high, before, after = (
        np.append(1, values) for values in (check.observed, *check.interval, check.before, check.after)
    )
    axes.fill_between(times, low, high, color="0.85", label="95% interval")
    axes.plot(times, observed, "o-", color=INK, markersize=4, label="Kaplan-Meier")
    axes.plot(times, before, "s--", color=ORANGE, markersize=4, label="mean predicted")
    axes.plot(times, after, ":", color=BLUE, linewidth=1.5, label="mean calibrated, on the same patients")
    if check.cross_fitted is not None:
        honest = np.append(1, check.cross_fitted)
        axes.plot(times, honest, "^-", color=BLUE, markersize=5, label="mean calibrated, on the other folds")
    axes.set(xlabel=f"time ({check.calibration.time_unit})", ylim=(0, 1.02), xlim=(0, None))
    axes.set_title(f"{name}: {check.calibration.n_cases} patients, {check.calibration.n_events} events")
