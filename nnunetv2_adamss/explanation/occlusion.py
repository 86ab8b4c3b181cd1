"""Change of the risk if a part of the image is blanked, to show what the prediction depends on."""

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from math import ceil

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

# In normalised intensities; the plan says which HU or SUV that is.
BLANK = 0.0

# Risk scores ``(b,)`` of images ``(b, n_modalities, *space)``.
RiskOf = Callable[[Tensor], NDArray[np.float64]]
Window = tuple[slice, ...]


def blocks(size: Sequence[int], block: Sequence[int], step: Sequence[int]) -> list[Window]:
    """Cover a box with the fewest equally spaced blocks whose starts are at most a step apart.

    Args:
        size: of the box in voxels, per axis.
        block: size of a block; one that is larger than the box is cut to it.
        step: at most the block's size, so that no voxel is left out.
    """
    axes = []
    for side, length, stride in zip(size, block, step, strict=True):
        last = max(side - length, 0)
        starts = np.linspace(0, last, 1 + ceil(last / stride)).round().astype(int)
        axes.append([slice(int(start), int(start) + min(length, side)) for start in starts])
    return list(product(*axes))


def occlusion_map(
    risk_of: RiskOf,
    image: Tensor,
    windows: Sequence[Window],
    *,
    channels: Sequence[int],
    batch_size: int,
    on_done: Callable[[int], object] = lambda n_windows: None,
) -> NDArray[np.float32]:
    """Map the change of risk by each place: risk of the image minus risk with a block around the place blanked.

    Args:
        risk_of: the model.
        image: ``(1, n_modalities, *space)``.
        windows: the blocks.
        channels: those that are blanked.
        batch_size: images in one forward pass.
        on_done: called with the number of further blocks that are done.

    Returns:
        ``space``; positive where the place raises the risk, the mean over all blocks that cover a voxel, and 0
        where none does.
    """
    risk = risk_of(image)[0]
    total, count = np.zeros(image.shape[2:]), np.zeros(image.shape[2:])
    for first in range(0, len(windows), batch_size):
        some = windows[first : first + batch_size]
        copies = image.repeat(len(some), *[1] * (image.ndim - 1))
        for copy, window in zip(copies, some, strict=True):
            for channel in channels:
                copy[(channel, *window)] = BLANK
        for window, risk_without in zip(some, risk_of(copies), strict=True):
            total[window] += risk - risk_without
            count[window] += 1
        on_done(len(some))
    return np.divide(total, count, out=total, where=count > 0).astype(np.float32)


def risk_and_channel_changes(risk_of: RiskOf, image: Tensor) -> tuple[float, list[float]]:
    """Return the risk of an image, and the change by each modality: risk minus risk with that channel blanked.

    Args:
        risk_of: the model.
        image: ``(1, n_modalities, *space)``.
    """
    risk = float(risk_of(image)[0])
    return risk, [risk - float(risk_of(without)[0]) for without in _without_each_channel(image)]


def _without_each_channel(image: Tensor) -> Iterator[Tensor]:
    for channel in range(image.shape[1]):
        without = torch.clone(image)
        without[:, channel] = BLANK
        yield without
