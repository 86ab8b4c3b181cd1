"""Style of all charts, drawing of Kaplan-Meier curves, and conversion of charts to pictures and files."""

import base64
import io
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any, Self

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from nnunetv2_adamss.common.files import replace_atomically
from nnunetv2_adamss.display.blocks import Picture
from nnunetv2_adamss.display.words import count
from nnunetv2_adamss.metrics.kaplan_meier import KaplanMeier, kaplan_meier

# Okabe and Ito: colour-blind readers can distinguish them too.
BLUE, VERMILION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
GREY, INK = "#6b7280", "#1b1f24"
WIDTH = 7.2  # inches, the width of a page's text
_STYLE = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "lines.linewidth": 1.4,
    # The same chart has the same bytes in each run.
    "svg.hashsalt": "nnunetv2_adamss",
}
_DPI = 150  # for print
_MIME = {".png": "image/png", ".svg": "image/svg+xml", ".jpg": "image/jpeg"}


def _style() -> AbstractContextManager[None]:
    # On top of matplotlib's defaults: nnU-Net's progress plots change the style of the whole process.
    style: AbstractContextManager[None] = matplotlib.style.context(["default", _STYLE])
    return style


class Chart:
    """A figure in the common style: ``with Chart(WIDTH, 3) as chart``, and draw inside.

    Args:
        width: in inches.
        height: in inches.
    """

    def __init__(self, width: float, height: float) -> None:
        self._style = _style()
        self._size = (width, height)

    def __enter__(self) -> Self:
        self._style.__enter__()
        # Not through pyplot, whose figures live until they are closed.
        self.figure = Figure(figsize=self._size, layout="constrained")
        return self

    def __exit__(self, *error: object) -> None:
        self._style.__exit__(None, None, None)

    def axes(self, rows: int = 1, columns: int = 1, **options: Any) -> NDArray[Any]:
        """Return axes like matplotlib's ``subplots``, but always ``(rows, columns)``."""
        made: NDArray[Any] = self.figure.subplots(rows, columns, squeeze=False, **options)
        return made

    def picture(self, description: str, caption: str, suffix: str = ".svg") -> Picture:
        """Return the chart as a vector graphic, or with ``.png`` as pixels, for photographs."""
        return picture(self.figure, description, caption, suffix)


def picture(figure: Figure, description: str, caption: str, suffix: str = ".svg") -> Picture:
    """Convert a figure of ``Chart`` to a picture."""
    stream = io.BytesIO()
    options: dict[str, Any] = {"metadata": {"Date": None}} if suffix == ".svg" else {"dpi": _DPI}
    _save(figure, stream, format=suffix.removeprefix("."), **options)
    width = round(96 * figure.get_figwidth())  # CSS has 96 pixels an inch
    return Picture(_data_uri(stream.getvalue(), suffix), description, caption, width)


def picture_of(file: Path, description: str, caption: str) -> Picture:
    """Read an image file as a picture."""
    return Picture(_data_uri(file.read_bytes(), file.suffix), description, caption)


def save_png(figure: Figure, file: Path, dpi: int = _DPI) -> None:
    """Write a figure of ``Chart`` as PNG, completely or not at all."""
    replace_atomically(file, partial(_save, figure, dpi=dpi, format="png"))


def _save(figure: Figure, to: Path | io.BytesIO, **options: Any) -> None:
    # Ticks are created only when they are drawn.
    with _style():
        figure.savefig(to, **options)


def _data_uri(content: bytes, suffix: str) -> str:
    """Encode the bytes of an image as a data URI."""
    return f"data:{_MIME[suffix]};base64,{base64.b64encode(content).decode('ascii')}"


# Name, event (True = observed) and time of the patients of a group.
Group = tuple[str, NDArray[np.bool_], NDArray[np.float64]]
_LINES = ((BLUE, "-"), (VERMILION, "--"), (GREEN, "-."), (ORANGE, ":"))


def draw_kaplan_meier(axes: Axes, groups: Sequence[Group], time_unit: str) -> list[KaplanMeier]:
    """Draw Kaplan-Meier curves, and below them the numbers at risk.

    Args:
        axes: with room for the numbers below them.
        groups: of patients; those without any are left out.
        time_unit: of the times.

    Returns:
        The drawn curves.
    """
    known = [(group, line) for group, line in zip(groups, _LINES, strict=False) if len(group[2])]
    curves = []
    for (name, event, time), line in known:
        label = f"{name} ({count(len(time), 'patient')}, {count(int(event.sum()), 'event')})"
        curves.append(draw_curve(axes, (label, event, time), *line))
    last = max(curve.last_time for curve in curves)
    survival_axes(axes, time_unit, last)
    _numbers_at_risk(
        axes, [(name, colour, time) for (name, _, time), (colour, _) in known], round_ticks(last)
    )
    if len(groups) > 1:
        axes.legend(loc="best")
    return curves


def draw_curve(axes: Axes, group: Group, colour: str, style: str = "-") -> KaplanMeier:
    """Draw one Kaplan-Meier curve with its 95% interval and a tick for every censored patient."""
    label, event, time = group
    curve = kaplan_meier(event, time)
    axes.step(curve.times, curve.survival_prob, style, where="post", color=colour, label=label)
    axes.fill_between(
        curve.times, curve.lower, curve.upper, step="post", color=colour, alpha=0.15, linewidth=0
    )
    censored = np.unique(time[~event])
    axes.plot(censored, curve.at(censored)[0], "|", color=colour, markersize=5)
    return curve


def survival_axes(axes: Axes, time_unit: str, last: float) -> None:
    """Label axes on which survival is drawn over time."""
    axes.set(xlabel=f"time ({time_unit})", ylabel="event-free fraction", ylim=(0, 1.02), xlim=(0, last))


def _numbers_at_risk(
    axes: Axes, groups: Sequence[tuple[str, str, NDArray[np.float64]]], ticks: Sequence[float]
) -> None:
    """Write, below the time axis, the number of patients under observation in each group (name, colour, times)."""
    axes.set_xticks(ticks)
    lines = axes.get_xaxis_transform()
    axes.annotate("at risk", (0, 0), (-16, -36), "axes fraction", "offset points", ha="right", fontsize=8)
    for row, (name, colour, time) in enumerate(groups):
        below = -48 - 12 * row
        axes.annotate(name, (0, 0), (-16, below), "axes fraction", "offset points", ha="right", va="center",
                      color=colour, fontsize=8)  # fmt: skip
        for tick in ticks:
            axes.annotate(str(int((time >= tick).sum())), (tick, 0), (0, below), lines, "offset points",
                          ha="center", va="center", color=colour, fontsize=8)  # fmt: skip


def round_ticks(last: float) -> list[float]:
    """Return about six round times from 0 to the last."""
    ticks = matplotlib.ticker.MaxNLocator(6).tick_values(0, last)
    return [float(tick) for tick in ticks if tick <= last]
