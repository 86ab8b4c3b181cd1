"""The look of all charts, and how they get into the page: as data, so that the report is one file."""

import base64
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from nnunetv2_adamss.metrics.kaplan_meier import KaplanMeier, kaplan_meier
from nnunetv2_adamss.report.blocks import Picture

# Okabe and Ito: told apart also by colour-blind readers.
BLUE, VERMILION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
GREY, INK = "#6b7280", "#1b1f24"
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
    # The same chart has the same bytes each time.
    "svg.hashsalt": "nnunetv2_adamss",
}
_BITMAP_DPI = 150  # for print
_MIME = {".png": "image/png", ".svg": "image/svg+xml", ".jpg": "image/jpeg"}


class Chart:
    """A figure in the report's style: ``with Chart(7.2, 3) as chart``, and draw inside.

    Args:
        width: in inches; 7.2 fill the text's width.
        height: in inches.
    """

    def __init__(self, width: float, height: float) -> None:
        self._style = matplotlib.rc_context(_STYLE)
        self._size = (width, height)

    def __enter__(self) -> Self:
        self._style.__enter__()
        # Not through pyplot, whose figures live until they are closed.
        self.figure = Figure(figsize=self._size, layout="constrained")
        return self

    def __exit__(self, *error: object) -> None:
        self._style.__exit__(None, None, None)

    def axes(self, rows: int = 1, columns: int = 1, **options: Any) -> NDArray[Any]:
        """Axes as matplotlib's ``subplots`` makes them, always ``(rows, columns)``."""
        made: NDArray[Any] = self.figure.subplots(rows, columns, squeeze=False, **options)
        return made

    def picture(self, description: str, caption: str) -> Picture:
        """The chart as a vector graphic."""
        return _vector_picture(self.figure, description, caption)

    def bitmap(self, description: str, caption: str) -> Picture:
        """The chart as pixels, for photographs."""
        stream = io.BytesIO()
        self.figure.savefig(stream, format="png", dpi=_BITMAP_DPI)
        return Picture(data_uri(stream.getvalue(), ".png"), description, caption, _css_width(self.figure))


def picture_by(draw: Callable[[], Figure], description: str, caption: str) -> Picture:
    """What another function draws, in the report's style, as a vector graphic."""
    with matplotlib.rc_context(_STYLE):
        return _vector_picture(draw(), description, caption)


def _vector_picture(figure: Figure, description: str, caption: str) -> Picture:
    stream = io.BytesIO()
    figure.savefig(stream, format="svg", metadata={"Date": None})
    return Picture(data_uri(stream.getvalue(), ".svg"), description, caption, _css_width(figure))


def _css_width(figure: Figure) -> int:
    return round(96 * figure.get_figwidth())


def data_uri(content: bytes, suffix: str) -> str:
    """Bytes of an image as an address that holds them."""
    return f"data:{_MIME[suffix]};base64,{base64.b64encode(content).decode('ascii')}"


def picture_of(file: Path, description: str, caption: str) -> Picture:
    """An image that lies in a file."""
    return Picture(data_uri(file.read_bytes(), file.suffix), description, caption)


def draw_kaplan_meier(
    axes: Axes, event: NDArray[np.bool_], time: NDArray[np.float64], colour: str, label: str
) -> KaplanMeier:
    """Add a Kaplan-Meier curve with its 95% interval and a tick for every censored patient.

    Args:
        axes: where to.
        event: True = observed, ``(n_cases,)``.
        time: ``(n_cases,)``.
        colour: of the curve.
        label: in the legend.
    """
    curve = kaplan_meier(event, time)
    axes.step(curve.times, curve.survival_prob, where="post", color=colour, label=label)
    axes.fill_between(
        curve.times, curve.lower, curve.upper, step="post", color=colour, alpha=0.15, linewidth=0
    )
    censored = np.unique(time[~event])
    axes.plot(censored, curve.at(censored)[0], "|", color=colour, markersize=5)
    return curve


def survival_axes(axes: Axes, time_unit: str, last: float, endpoint: str | None = None) -> None:
    """Label axes on which survival is drawn over time."""
    axes.set(
        xlabel=f"time ({time_unit})",
        ylabel=f"free of {endpoint}" if endpoint else "event-free fraction",
        ylim=(0, 1.02),
        xlim=(0, last),
    )


def numbers_at_risk(
    axes: Axes, groups: Sequence[tuple[str, str, NDArray[np.float64]]], ticks: Sequence[float]
) -> None:
    """Write below the time axis how many patients of each group are still under observation.

    Args:
        axes: with the curves.
        groups: name, colour and times of the patients.
        ticks: the times at which to count.
    """
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
    """About six round times from 0 to the last."""
    ticks = matplotlib.ticker.MaxNLocator(6).tick_values(0, last)
    return [float(tick) for tick in ticks if tick <= last]
