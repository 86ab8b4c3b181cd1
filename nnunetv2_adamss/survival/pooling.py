"""How the network's answer for a whole region is made (Section 3.3)."""

from itertools import product

import torch
from torch import Tensor

from nnunetv2_adamss.networks.adamss import AdaMSSSurvival


def predict_region(
    network: AdaMSSSurvival,
    image: Tensor,
    valid: Tensor,
    covariates: Tensor,
    *,
    pool: str,
    crop_size: tuple[int, ...],
) -> Tensor:
    """Logits ``(b, n_intervals)``; a batch holds one case, or variants of one that share what is valid.

    Args:
        network: in evaluation mode.
        image: ``(b, n_modalities, *space)``.
        valid: ``(b, 1, *space)``.
        covariates: ``(b, n_covariates)``.
        pool: ``region`` pools over all of it, as the paper; ``crops`` averages the logits of crops of the
            training's size, at the corners.
        crop_size: of the training crops.
    """
    if pool == "region":
        return network(image, valid, covariates)
    logits = [
        network(image[window], valid[window], covariates)
        for window in _corner_crops(image.shape[2:], crop_size)
        if valid[window].any()
    ]
    return torch.stack(logits).mean(0)


def _corner_crops(size: torch.Size, crop_size: tuple[int, ...]) -> list[tuple[slice, ...]]:
    windows = [
        [slice(start, start + min(crop, side)) for start in sorted({0, max(side - crop, 0)})]
        for side, crop in zip(size, crop_size, strict=True)
    ]
    return [(slice(None), slice(None), *window) for window in product(*windows)]
