"""Mean predicted survival against what Kaplan-Meier says, before and after calibration, as numbers and picture."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from nnunetv2_adamss.display.charts import BLUE, INK, ORANGE, Chart, save_png
from nnunetv2_adamss.metrics.kaplan_meier import kaplan_meier
from nnunetv2_adamss.prediction.calibration import Calibration
from nnunetv2_adamss.prediction.ensemble import Curves


@dataclass(frozen=True, eq=False)
class CalibrationCheck:
    """A calibration on the patients that it was fitted on.

    Args:
        calibration: what was fitted.
        observed: Kaplan-Meier's estimate at the calibration's times; NaN beyond follow-up, ``(n_times,)``.
        interval: its 95% interval, lower and upper, ``(2, n_times)``.
        before: mean predicted survival, ``(n_times,)``.
        after: mean calibrated survival, ``(n_times,)``.
    """

    calibration: Calibration
    observed: NDArray[np.float64]
    interval: NDArray[np.float64]
    before: NDArray[np.float64]
    after: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        calibration: Calibration,
        survival_curve: Curves,
        event: NDArray[np.bool_],
        time: NDArray[np.floating],
    ) -> "CalibrationCheck":
        """Of curves at the calibration's times, ``(n_cases, n_times)``, and outcomes, ``(n_cases,)`` each."""
        observed = kaplan_meier(event, time).at(np.asarray(calibration.times))
        after = calibration.apply(survival_curve)
        return cls(calibration, observed[0], observed[1:], survival_curve.mean(axis=0), after.mean(axis=0))


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
    axes.plot(times, after, "^:", color=BLUE, markersize=5, linewidth=2, label="mean calibrated")
    axes.set(xlabel=f"time ({check.calibration.time_unit})", ylim=(0, 1.02), xlim=(0, None))
    axes.set_title(f"{name}: {check.calibration.n_cases} patients, {check.calibration.n_events} events")
