"""Prediction of a whole region, in one piece or from crops (Section 3.3)."""

from itertools import product

import torch
from torch import Tensor

from nnunetv2_adamss.networks.survival_network import SurvivalNetwork, survival_outputs


def predict_region(
    network: SurvivalNetwork,
    image: Tensor,
    valid: Tensor,
    covariates: Tensor,
    *,
    pool: str,
    crop_size: tuple[int, ...],
) -> Tensor:
    """Predict outputs ``(b, n_outputs)``; a batch holds one case, or variants of one with the same ``valid``.

    Args:
        network: in evaluation mode.
        image: ``(b, n_modalities, *space)``.
        valid: ``(b, 1, *space)``.
        covariates: ``(b, n_covariates)``.
        pool: ``region`` pools over all of it, as in the paper; ``crops`` averages the outputs of crops of the
            training's size, at the corners.
        crop_size: of the training crops.
    """
    if pool == "region":
        return survival_outputs(network(image, valid, covariates))
    outputs = [
        survival_outputs(network(image[window], valid[window], covariates))
        for window in _corner_crops(image.shape[2:], crop_size)
        if valid[window].any()
    ]
    return torch.stack(outputs).mean(0)


def segment_region(
    network: SurvivalNetwork,
    image: Tensor,
    valid: Tensor,
    covariates: Tensor,
    *,
    pool: str,
    crop_size: tuple[int, ...],
) -> Tensor:
    """Predict the tumour logit, ``(b, 1, *space)``, by a network that also segments; arguments as above."""
    if pool == "region":
        return network(image, valid, covariates).segmentation
    total, n_crops = torch.zeros_like(valid), torch.zeros_like(valid)
    for window in _corner_crops(image.shape[2:], crop_size):
        total[window] += network(image[window], valid[window], covariates).segmentation
        n_crops[window] += 1
    return total / n_crops


def _corner_crops(size: torch.Size, crop_size: tuple[int, ...]) -> list[tuple[slice, ...]]:
    windows = [
        [slice(start, start + min(crop, side)) for start in sorted({0, max(side - crop, 0)})]
        for side, crop in zip(size, crop_size, strict=True)
    ]
    return [(slice(None), slice(None), *window) for window in product(*windows)]
