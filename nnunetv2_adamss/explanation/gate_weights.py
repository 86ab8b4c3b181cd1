"""Mean weight of the fusion branch at each encoder stage: Table IV."""

from collections.abc import Sequence

import pandas as pd
from torch import Tensor, nn

STAGES = ("stage_one", "stage_two")


def mean_gate_weights(w_fuse: Sequence[Tensor], valid: Tensor) -> list[float]:
    """Return the mean of w_fuse at every encoder stage, over channels and voxels of the image.

    choice: the paper does not say what its means are over; here over the voxels of the region that prediction uses,
        without padding, and then over cases with equal weight.

    Args:
        w_fuse: of one case, high to low resolution, ``(1, channels, *space)`` each.
        valid: ``(1, 1, *space)`` of the first stage, 1 where the image is, 0 where it is padding.

    Returns:
        One number in [0, 1] a stage. A coarse voxel is weighted by the fraction of image in it.
    """
    means = []
    for weights in w_fuse:
        stride = [fine // coarse for fine, coarse in zip(valid.shape[2:], weights.shape[2:], strict=True)]
        share = nn.functional.avg_pool3d(valid.float(), stride)
        of_voxels = weights.float().mean(dim=1, keepdim=True)
        means.append(float((of_voxels * share).sum() / share.sum()))
    return means


def gate_weights_of_case(
    case_id: str, stage_one: Sequence[float], stage_two: Sequence[float]
) -> pd.DataFrame:
    """Return one row an encoder stage, counted from 1: ``case_id, encoder_stage, stage_one, stage_two``."""
    return pd.DataFrame(
        {
            "case_id": case_id,
            "encoder_stage": range(1, len(stage_one) + 1),
            "stage_one": stage_one,
            "stage_two": stage_two,
        }
    )


def table_four(by_case: pd.DataFrame) -> pd.DataFrame:
    """Make Table IV: mean over the cases for both training stages, and standard deviations between cases.

    Args:
        by_case: rows of ``gate_weights_of_case``.

    Returns:
        ``encoder_stage, stage_one, stage_one_sd, stage_two, stage_two_sd, n_cases``; a standard deviation of one
        case is missing.
    """
    groups = by_case.groupby("encoder_stage")[list(STAGES)]
    mean, spread = groups.mean(), groups.std().add_suffix("_sd")
    columns = [column for stage in STAGES for column in (stage, f"{stage}_sd")]
    table = mean.join(spread)[columns]
    return table.assign(n_cases=groups.size()).reset_index()
