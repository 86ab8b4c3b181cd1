"""Plot of the LASSO path."""

from pathlib import Path

import numpy as np

from nnunetv2_adamss.display.charts import INK, VERMILION, Chart, save_png
from nnunetv2_adamss.survival.covariates.feature_selection import FeatureSelection


def plot_selection(selection: FeatureSelection, file: Path) -> None:
    """Draw weights and inner cross-validation's score against the penalty, as PNG.

    Args:
        selection: with its path.
        file: the PNG to write.
    """
    path, chosen = selection.path, selection.penalty
    if path is None or chosen is None:
        raise ValueError("There is no path to draw: the features were not selected by the LASSO.")
    penalties, weights = np.array(path.penalties), np.array(path.weights).reshape(len(path.penalties), -1)
    with Chart(9, 8) as chart:
        above, below = chart.axes(2, 1, sharex=True, height_ratios=[2, 1])[:, 0]
        for name, column in zip(path.names, weights.T, strict=True):
            is_selected = name in selection.names
            above.plot(penalties, column, color=None if is_selected else "0.8", label=name if is_selected else None,
                       zorder=2 if is_selected else 1)  # fmt: skip
        above.set(ylabel="weight of one standard deviation")
        if selection.names:
            above.legend(fontsize="x-small", loc="upper left")
        below.plot(penalties[: len(path.scores)], path.scores, ".-", color=INK)
        below.set(ylabel="inner cross-validation:\nlog partial likelihood", xlabel="penalty", xscale="log")
        below.invert_xaxis()
        for axes in (above, below):
            axes.axvline(chosen, color=VERMILION, linestyle=":", linewidth=1)
        above.set_title(
            f"{len(selection.names)} of {selection.n_candidates} features selected "
            f"({selection.n_uncorrelated} after the correlation filter, limit {selection.limit})"
        )
        save_png(chart.figure, file, dpi=100)
