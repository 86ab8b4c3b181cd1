"""The loss of multi-task logistic regression (Yu et al. 2011)."""

import torch
from torch import Tensor

from nnunetv2_adamss.networks.comparison.parts.mtlr_network import bin_scores


def mtlr_loss(outputs: Tensor, event: Tensor, time: Tensor, interval_edges: Tensor) -> Tensor:
    """Negative log-likelihood, mean over the batch: of the event's bin or, if censored, of this bin and all later ones.

    No maintained library is suitable: torchsurv 0.2 has no such loss, and pycox 0.3 (2024) brings a training framework.

    Args:
        outputs: of the network, ``(b, n_intervals)``.
        event: 1 = observed, 0 = censored, ``(b,)``.
        time: to event or censoring, ``(b,)``.
        interval_edges: ``(n_intervals + 1,)``, ascending from 0; bin j is ``(e_j, e_j+1]``, the last is beyond all.

    Returns:
        A scalar, in float32 at least.
    """
    scores = bin_scores(outputs)
    # Edges are times of patients: with the same rounding, equal ones stay equal.
    bins = torch.searchsorted(interval_edges[1:].to(time), time)
    place = torch.arange(scores.shape[1], device=scores.device)
    is_possible = torch.where(event.bool()[:, None], place == bins[:, None], place >= bins[:, None])
    log_possible = torch.logsumexp(scores.masked_fill(~is_possible, -torch.inf), dim=1)
    return (torch.logsumexp(scores, dim=1) - log_possible).mean()
