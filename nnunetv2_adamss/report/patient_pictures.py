"""PET and CT of one patient with the outline of the tumour mask, as a radiologist holds them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from matplotlib.axes import Axes
from numpy.typing import NDArray

from nnunetv2_adamss.common.images import MASK, read_on_one_grid
from nnunetv2_adamss.display.blocks import Picture
from nnunetv2_adamss.display.charts import VERMILION, WIDTH, Chart
from nnunetv2_adamss.display.words import joined, number, significant
from nnunetv2_adamss.metrics.volume_and_uptake import volume_ml
from nnunetv2_adamss.survival.nnunet_data.modalities import Modality, modalities

# Soft tissue, in HU.
_CT_WINDOW = (-160.0, 240.0)
_HIGHEST_IN = 4.2


@dataclass(frozen=True)
class Channel:
    """One image of a patient.

    Args:
        name: as dataset.json has it, such as ``PET``.
        file: the image.
        modality: None where the names do not tell which it is.
    """

    name: str
    file: Path
    modality: Modality | None = None


def channels_of(names: Sequence[str], files: Sequence[Path]) -> list[Channel]:
    """The images of a patient, in nnU-Net's order; one file for each name."""
    return [Channel(*one) for one in zip(names, files, modalities(names), strict=True)]


@dataclass(frozen=True, eq=False)
class Volume:
    """An image whose axes run from feet to head, front to back, and right to left of the patient.

    Args:
        values: ``(z, y, x)``.
        spacing_mm: ``(z, y, x)``.
    """

    values: NDArray
    spacing_mm: tuple[float, ...]

    @classmethod
    def of(cls, image: sitk.Image) -> "Volume":
        """An image turned."""
        turned = sitk.DICOMOrient(image, "LPS")
        return cls(sitk.GetArrayFromImage(turned), turned.GetSpacing()[::-1])


@dataclass(frozen=True, eq=False)
class _View:
    """A picture of one plane: rows go down."""

    title: str
    image: NDArray
    mask: NDArray
    pixel_mm: tuple[float, float]
    window: tuple[float, float]
    is_inverted: bool


def patient_picture(case_id: str, channels: Sequence[Channel], mask_file: Path) -> Picture:
    """Axial slices at the mask's largest area, and PET in projection from the front.

    Args:
        case_id: of the patient.
        channels: images, in nnU-Net's order.
        mask_file: of the tumour, on the images' grid.

    Raises:
        ValueError: if a file is missing or broken, or grids differ.
    """
    shown = _shown(channels)
    read = read_on_one_grid({str(channel.file): channel.file for channel in shown}, mask_file)
    volumes = {channel: Volume.of(read[str(channel.file)].itk()) for channel in shown}
    mask_volume = Volume.of(read[MASK].itk())
    mask = mask_volume.values > 0
    z = int(mask.sum(axis=(1, 2)).argmax()) if mask.any() else len(mask) // 2
    views = [_axial(channel, volume, mask, z) for channel, volume in volumes.items()]
    last = next((c for c in shown if c.modality == "PET"), shown[-1])
    views.append(_frontal(last, volumes[last], mask))
    where = f"slice {z + 1} of {len(mask)} from the feet"
    found = (
        f"The mask's volume is {number(volume_ml(mask, mask_volume.spacing_mm), 1)} ml."
        if mask.any()
        else "The mask is empty."
    )
    windows = {channel.name: _window(channel, volume) for channel, volume in volumes.items()}
    scales = joined(
        [f"{name} from {significant(low)} to {significant(high)}" for name, (low, high) in windows.items()]
    )
    return _picture(
        views,
        f"{case_id}: {joined([view.title for view in views])}, with the outline of the tumour mask, {where}. {found}",
        f"Axial {where}, where the mask is largest. {found} Orange: outline of the mask. Grey values: {scales}; "
        "PET is dark where uptake is high.",
    )


def _shown(channels: Sequence[Channel]) -> list[Channel]:
    """CT, then PET, or the first two channels where neither is known."""
    known = {c.modality: c for c in channels if c.modality is not None}
    return [known[modality] for modality in sorted(known)] or list(channels[:2])


def _axial(channel: Channel, volume: Volume, mask: NDArray[np.bool_], z: int) -> _View:
    _, y_mm, x_mm = volume.spacing_mm
    return _View(
        f"{channel.name}, axial",
        volume.values[z],
        mask[z],
        (y_mm, x_mm),
        _window(channel, volume),
        channel.modality == "PET",
    )


def _frontal(channel: Channel, volume: Volume, mask: NDArray[np.bool_]) -> _View:
    """The strongest voxel along each line from front to back, or the middle plane where that says nothing."""
    z_mm, _, x_mm = volume.spacing_mm
    if channel.modality == "PET":
        title, image = f"{channel.name}, projection from the front", volume.values.max(axis=1)
    else:
        title, image = f"{channel.name}, middle coronal", volume.values[:, volume.values.shape[1] // 2]
    # Head up.
    return _View(
        title,
        image[::-1],
        mask.max(axis=1)[::-1],
        (z_mm, x_mm),
        _window(channel, volume),
        channel.modality == "PET",
    )


def _window(channel: Channel, volume: Volume) -> tuple[float, float]:
    if channel.modality == "CT":
        return _CT_WINDOW
    low, high = np.percentile(volume.values, [0.5, 99.8])
    low = 0.0 if channel.modality == "PET" else float(low)
    return low, max(float(high), low + 1e-6)


def _picture(views: Sequence[_View], description: str, caption: str) -> Picture:
    """The views side by side, all in one scale if they are of one height."""
    sizes = [tuple(n * mm for n, mm in zip(v.image.shape, v.pixel_mm, strict=True)) for v in views]
    ratios = [width / height for height, width in sizes]
    height = min(WIDTH / sum(ratios), _HIGHEST_IN)
    with Chart(sum(ratios) * height, height + 0.25) as chart:
        axes = chart.axes(1, len(views), width_ratios=ratios)[0]
        for axis, view in zip(axes, views, strict=True):
            _draw_view(axis, view)
        return chart.picture(description, caption, ".png")


def _draw_view(axes: Axes, view: _View) -> None:
    row_mm, column_mm = view.pixel_mm
    axes.imshow(view.image, cmap="gray_r" if view.is_inverted else "gray", vmin=view.window[0], vmax=view.window[1],
                aspect=row_mm / column_mm, interpolation="bilinear")  # fmt: skip
    if view.mask.any():
        axes.contour(view.mask, levels=[0.5], colors=VERMILION, linewidths=1.3)
    axes.set(title=view.title, xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    ink = "black" if view.is_inverted else "white"
    for side, place in (("R", 0.02), ("L", 0.98)):
        axes.text(place, 0.5, side, color=ink, fontsize=8, ha="left" if side == "R" else "right", va="center",
                  transform=axes.transAxes, bbox={"facecolor": "white" if view.is_inverted else "black", "alpha": 0.4,
                                                  "linewidth": 0, "pad": 1})  # fmt: skip
