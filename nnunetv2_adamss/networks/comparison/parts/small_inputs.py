"""Pooling and padding for images that are smaller than those that a network was published for."""

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor
from torch.nn import functional as F


def pool_within_image(pool: Callable[..., Any], x: Tensor, window: int) -> Tensor:
    """Pool ``(b, c, *space)`` with stride 2, by ``F.max_pool3d`` or ``F.avg_pool3d``.

    choice: an axis shorter than the window is pooled whole; the publications' images are larger.
    """
    pooled: Tensor = pool(x, [min(window, side) for side in x.shape[2:]], 2)
    return pooled


def pad_to_at_least(x: Tensor, size: Sequence[int]) -> Tensor:
    """Append zeros to ``(b, c, *space)`` along each axis that is shorter than ``size``."""
    missing = [max(wanted - side, 0) for wanted, side in zip(size, x.shape[2:], strict=True)]
    return F.pad(x, [n for axis in reversed(missing) for n in (0, axis)]) if any(missing) else x
