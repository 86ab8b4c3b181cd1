"""The Stage-II loss: negative log-likelihood of discrete survival (Section 3.4, Eq. 1)."""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

LossReduction = Literal["sum", "mean"]


def discrete_survival_loss(
    logits: Tensor, survived: Tensor, failed: Tensor, reduction: LossReduction = "sum"
) -> Tensor:
    """Eq. (1) as masked binary cross-entropy: sum over the intervals, mean over the batch.

    deviation: no clamp at epsilon. A clamped logarithm has no gradient where the prediction is most wrong, and
    the logarithm of a sigmoid is finite without it. With epsilon 1e-5 both agree for every |logit| <= 11.

    Args:
        logits: of surviving each interval, given alive at its start, ``(b, n_intervals)``.
        survived: S, 1 where the interval is known to be survived, ``(b, n_intervals)``.
        failed: S-bar, 1 in the interval of the event, ``(b, n_intervals)``.
        reduction: over the intervals: "sum", as in Eq. (1), or "mean", as in the authors' software. Mean is the sum
            divided by the number of all intervals, including those without a label.

    Returns:
        A scalar, in float32 at least.

    Raises:
        ValueError: if the three shapes differ.
    """
    if not logits.shape == survived.shape == failed.shape:
        raise ValueError(
            f"Logits and labels must have one shape, not {tuple(logits.shape)}, {tuple(survived.shape)} "
            f"and {tuple(failed.shape)}."
        )
    # In float32: mixed precision gives float16, too coarse for a sum over intervals.
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    interval_loss = -(survived * F.logsigmoid(logits) + failed * F.logsigmoid(-logits))
    loss_of_cases = interval_loss.sum(dim=-1) if reduction == "sum" else interval_loss.mean(dim=-1)
    return loss_of_cases.mean()
