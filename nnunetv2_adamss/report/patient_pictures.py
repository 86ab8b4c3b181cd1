"""Draw PET and CT of one patient through the largest lesion, with the outline of the tumour mask."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from nnunetv2_adamss.display.blocks import Picture
from nnunetv2_adamss.display.charts import VERMILION, WIDTH, Chart
from nnunetv2_adamss.display.words import joined, significant
from nnunetv2_adamss.report.patient_volumes import Channel, PatientVolumes, Volume

# Soft tissue, in HU.
_CT_WINDOW = (-160.0, 240.0)
# A neck, or a lesion with its surroundings.
_FIELD_MM = 240.0
_HIGHEST_IN = 4.4
# Voxels from which a window is computed: all of a whole-body scan would take seconds to sort.
_SAMPLE = 1_000_000


@dataclass(frozen=True)
class _Plane:
    """A plane of cuts.

    Args:
        name: of the plane.
        axis: at right angles to the plane.
        sides: at the left and the right edge of the picture.
    """

    name: str
    axis: int
    sides: tuple[str, str]


_PLANES = (
    _Plane("axial", 0, ("R", "L")),
    _Plane("coronal", 1, ("R", "L")),
    _Plane("sagittal", 2, ("A", "P")),
)


@dataclass(frozen=True, eq=False)
class _Shown:
    """An image with the range of its grey values.

    Args:
        channel: of the image.
        volume: the image.
        window: values that are black and white, or the other way round for PET.
    """

    channel: Channel
    volume: Volume
    window: tuple[float, float]

    @property
    def is_pet(self) -> bool:
        """True if the image is a PET, where high uptake is dark."""
        return self.channel.modality == "PET"


@dataclass(frozen=True, eq=False)
class _View:
    """A picture of one plane; rows run downwards."""

    title: str
    image: NDArray
    mask: NDArray
    pixel_mm: tuple[float, float]
    window: tuple[float, float]
    is_inverted: bool
    sides: tuple[str, str]

    @property
    def size_mm(self) -> tuple[float, float]:
        """Height and width of the shown plane, in mm."""
        height, width = (n * mm for n, mm in zip(self.image.shape, self.pixel_mm, strict=True))
        return height, width


def patient_picture(case_id: str, volumes: PatientVolumes) -> Picture:
    """Draw axial, coronal and sagittal cuts through the largest lesion, and PET in projection from the front.

    Args:
        case_id: of the patient.
        volumes: images and mask.
    """
    images = [_Shown(channel, volume, _window(channel, volume)) for channel, volume in volumes.images.items()]
    centre = _centre(volumes)
    rows = [[_cut(image, volumes.mask, plane, centre) for plane in _PLANES] for image in images]
    projections = [_projection(image, volumes.mask) for image in images if image.is_pet]
    titles = [view.title for view in [*(view for row in rows for view in row), *projections]]
    where, scales = _describe_cuts(volumes, centre), _scales(images)
    with Chart(*_size(rows, projections)) as chart:
        _draw(chart, rows, projections)
        return chart.picture(
            f"{case_id}: {joined(titles)}, with the outline of the tumour mask. {where}",
            f"{where} Orange: outline of the mask. Grey values: {scales}; PET is dark where uptake is high. "
            "R, L: the patient's right and left; A, P: front and back.",
            ".png",
        )


def _centre(volumes: PatientVolumes) -> tuple[int, ...]:
    """Find the slice along each axis where the largest lesion is largest; the middle without a lesion."""
    if not volumes.lesions:
        return tuple(n // 2 for n in volumes.mask.values.shape)
    return tuple(int(np.bincount(places).argmax()) for places in volumes.lesions[0].T)


def _describe_cuts(volumes: PatientVolumes, centre: tuple[int, ...]) -> str:
    (z, y, x), (n_z, n_y, n_x) = centre, volumes.mask.values.shape
    through = "through the largest lesion, where it is largest" if volumes.lesions else "through the middle"
    empty = "" if volumes.lesions else " The mask is empty."
    return (
        f"Cuts {through}: axial slice {z + 1} of {n_z} from the feet, coronal slice {y + 1} of {n_y} from the front, "
        f"sagittal slice {x + 1} of {n_x} from the patient's right; at most {_FIELD_MM:g} mm are shown.{empty}"
    )


def _scales(images: Sequence[_Shown]) -> str:
    return joined([f"{i.channel.name} from {' to '.join(map(significant, i.window))}" for i in images])


def _cut(image: _Shown, mask: Volume, plane: _Plane, centre: tuple[int, ...]) -> _View:
    """Cut out the field around the centre in one plane."""
    volume = image.volume
    ranges = zip(volume.values.shape, centre, volume.spacing_mm, strict=True)
    field: list[slice | int] = [_field(n, place, mm) for n, place, mm in ranges]
    field[plane.axis] = centre[plane.axis]
    row_mm, column_mm = (mm for axis, mm in enumerate(volume.spacing_mm) if axis != plane.axis)
    # Head up.
    rows = slice(None, None, 1 if plane.axis == 0 else -1)
    return _View(
        f"{image.channel.name}, {plane.name}",
        volume.values[tuple(field)][rows],
        mask.values[tuple(field)][rows],
        (row_mm, column_mm),
        image.window,
        image.is_pet,
        plane.sides,
    )


def _field(n_voxels: int, centre: int, voxel_mm: float) -> slice:
    """Return the range of the field's voxels around a centre, at most all voxels."""
    n_shown = min(n_voxels, round(_FIELD_MM / voxel_mm))
    start = min(max(centre - n_shown // 2, 0), n_voxels - n_shown)
    return slice(start, start + n_shown)


def _projection(pet: _Shown, mask: Volume) -> _View:
    """Project the highest voxel along each line from front to back."""
    z_mm, _, x_mm = pet.volume.spacing_mm
    return _View(
        f"{pet.channel.name}, projection",
        pet.volume.values.max(axis=1)[::-1],
        mask.values.max(axis=1)[::-1],
        (z_mm, x_mm),
        pet.window,
        is_inverted=True,
        sides=("R", "L"),
    )


def _window(channel: Channel, volume: Volume) -> tuple[float, float]:
    if channel.modality == "CT":
        return _CT_WINDOW
    values = volume.values.reshape(-1)
    low, high = np.percentile(values[:: max(1, values.size // _SAMPLE)], [0.5, 99.8])
    low = 0.0 if channel.modality == "PET" else float(low)
    return low, max(float(high), low + 1e-6)


def _widths(rows: Sequence[Sequence[_View]], projections: Sequence[_View]) -> tuple[list[float], float]:
    """Return widths of the columns and height of all rows, in mm; a projection is as high as all rows, if it fits."""
    widths = [view.size_mm[1] for view in rows[0]]
    height = len(rows) * max(view.size_mm[0] for view in rows[0])
    for view in projections:
        high, wide = view.size_mm
        widths.append(min(height * wide / high, 1.3 * max(widths)))
    return widths, height


def _size(rows: Sequence[Sequence[_View]], projections: Sequence[_View]) -> tuple[float, float]:
    """Return width and height of the picture in inches."""
    widths, height = _widths(rows, projections)
    ratio = height / sum(widths)
    high = min(WIDTH * ratio, _HIGHEST_IN)
    return high / ratio, high + 0.25 * len(rows)


def _draw(chart: Chart, rows: Sequence[Sequence[_View]], projections: Sequence[_View]) -> None:
    """Draw a row for each image, and the projection beside all rows."""
    widths, _ = _widths(rows, projections)
    grid = chart.figure.add_gridspec(len(rows), len(widths), width_ratios=widths)
    for row, views in enumerate(rows):
        for column, view in enumerate(views):
            _draw_view(chart.figure.add_subplot(grid[row, column]), view)
    for view in projections:
        _draw_view(chart.figure.add_subplot(grid[:, -1]), view)


def _draw_view(axes: Axes, view: _View) -> None:
    row_mm, column_mm = view.pixel_mm
    axes.imshow(view.image, cmap="gray_r" if view.is_inverted else "gray", vmin=view.window[0], vmax=view.window[1],
                aspect=row_mm / column_mm, interpolation="bilinear")  # fmt: skip
    if view.mask.any():
        axes.contour(view.mask, levels=[0.5], colors=VERMILION, linewidths=1.1)
    axes.set(title=view.title, xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    ink, paper = ("black", "white") if view.is_inverted else ("white", "black")
    for side, place, edge in zip(view.sides, (0.02, 0.98), ("left", "right"), strict=True):
        axes.text(place, 0.5, side, color=ink, fontsize=8, ha=edge, va="center", transform=axes.transAxes,
                  bbox={"facecolor": paper, "alpha": 0.4, "linewidth": 0, "pad": 1})  # fmt: skip
