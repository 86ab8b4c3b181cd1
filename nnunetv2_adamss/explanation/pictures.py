"""Pictures of attention, as in Fig. 3, and of the places that the risk comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from nnunetv2_adamss.common.files import replace_atomically

_STAGE_NAMES = {"stage_one": "Stage I", "stage_two": "Stage II"}
_WIDTH = 2.6  # inches of one picture
# The finest levels show the tumour best, and more do not fit a page.
_MOST_LEVELS = 4

View = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class CaseViews:
    """Images below the maps; axes run to the patient's left, back and head.

    Args:
        images: of each modality by its name.
        tumour: the mask, of the images' shape.
        spacing_mm: of the axes.
    """

    images: Mapping[str, View]
    tumour: NDArray[np.bool_]
    spacing_mm: Sequence[float]


def tumour_slice(tumour: NDArray[np.bool_]) -> int:
    """Return the axial slice with the most tumour, or the middle one without tumour; axes as in ``turned``."""
    areas = tumour.sum(axis=(0, 1))
    return int(areas.argmax()) if areas.any() else tumour.shape[2] // 2


def draw_attention(file: Path, title: str, views: CaseViews, attention: Mapping[str, Sequence[View]]) -> None:
    """Draw images and attention maps of both stages at the slice with the most tumour, as PNG.

    Args:
        file: to write.
        title: above all.
        views: images and mask.
        attention: of each stage, fine to coarse, of the images' shape.
    """
    at = tumour_slice(views.tumour)
    n_levels = min(len(next(iter(attention.values()))), _MOST_LEVELS)
    figure, grid = _figure(views, max(len(views.images), len(attention)), 1 + n_levels)
    for axes, name in zip(grid[:, 0], views.images, strict=False):
        _show_image(axes, views, name, at)
        axes.set_title(name)
    for row, (stage, levels) in zip(grid, attention.items(), strict=False):
        for i, axes in enumerate(row[1:]):
            shown = _show(axes, views, levels[i][:, :, at], cmap="viridis", vmin=0, vmax=1)
            axes.set_title(f"{_STAGE_NAMES[stage]}, level {i + 1}")
    for axes in grid.flat:
        axes.axis("on" if axes.images else "off")
        if axes.images:
            _outline(axes, views.tumour[:, :, at])
    figure.colorbar(shown, ax=grid, label="attention", fraction=0.02)
    _finish(figure, title, views, file)


def draw_occlusion(file: Path, title: str, label: str, views: CaseViews, change: View) -> None:
    """Draw the change of the risk in the slices with the most tumour and with the largest change, as PNG.

    Args:
        file: to write.
        title: above all.
        label: of the colour bar.
        views: images and mask.
        change: of the risk score, of the images' shape.
    """
    slices = {
        "most tumour": tumour_slice(views.tumour),
        "largest change": int(np.abs(change).max(axis=(0, 1)).argmax()),
    }
    # A constant map has no limit of its own.
    limit = float(np.abs(change).max()) or 1.0
    figure, grid = _figure(views, len(slices), len(views.images))
    for row, (what, at) in zip(grid, slices.items(), strict=True):
        row[0].set_ylabel(f"slice with the\n{what}")
        for axes, name in zip(row, views.images, strict=True):
            _show_image(axes, views, name, at)
            part = change[:, :, at]
            # Small changes are transparent.
            opacity = (0.8 * np.abs(part) / limit).T
            shown = _show(axes, views, part, cmap="RdBu_r", vmin=-limit, vmax=limit, alpha=opacity)
            axes.set_title(name)
            _outline(axes, views.tumour[:, :, at])
    figure.colorbar(shown, ax=grid, label=label, fraction=0.04)
    _finish(figure, title, views, file)


def _figure(views: CaseViews, n_rows: int, n_columns: int) -> tuple[Figure, NDArray[Any]]:
    width, height, _ = np.multiply(views.tumour.shape, views.spacing_mm)
    # Room for titles, legend and colour bar.
    size = (_WIDTH * n_columns + 1.6, _WIDTH * n_rows * height / width + 1.2)
    # Not through pyplot, whose figures live until they are closed.
    figure = Figure(figsize=size, layout="constrained")
    grid: NDArray[Any] = figure.subplots(n_rows, n_columns, squeeze=False)
    for axes in grid.flat:
        axes.set(xticks=[], yticks=[])
    return figure, grid


def _show(axes: Axes, views: CaseViews, part: View, **options: Any) -> Any:
    left, back, _ = views.spacing_mm
    return axes.imshow(part.T, aspect=back / left, interpolation="nearest", **options)


def _show_image(axes: Axes, views: CaseViews, name: str, at: int) -> None:
    image = views.images[name]
    low, high = np.percentile(image, [1, 99.5])
    _show(axes, views, image[:, :, at], cmap="gray", vmin=low, vmax=high)


def _outline(axes: Axes, tumour: NDArray[np.bool_]) -> None:
    # matplotlib warns if there is nothing to draw.
    if tumour.any() and not tumour.all():
        contour = axes.contour(tumour.T.astype(float), [0.5], colors="white", linewidths=1)
        contour.set(path_effects=[withStroke(linewidth=2.5, foreground="black")])


def _finish(figure: Figure, title: str, views: CaseViews, file: Path) -> None:
    outline = "white line: tumour mask" if views.tumour.any() else "no tumour found"
    figure.suptitle(f"{title}\n{outline}", fontsize="medium")
    replace_atomically(file, lambda unfinished: figure.savefig(unfinished, dpi=110, format="png"))
