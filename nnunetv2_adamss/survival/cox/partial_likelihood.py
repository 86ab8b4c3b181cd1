"""Cox's partial likelihood as a loss, with Efron's treatment of ties."""

import torch
from torch import Tensor


def cox_loss(log_hazard: Tensor, event: Tensor, time: Tensor) -> Tensor:
    """Negative log partial likelihood (Efron 1977), mean over the events.

    Of m events at one time, the k-th (from 0) is compared with all cases at risk, the m tied ones counting 1 - k/m.

    No maintained library is suitable: torchsurv 0.2 silently drops events, or gives -inf, if tied log
    hazards lie far apart, and warns at every tie.

    Args:
        log_hazard: higher for an earlier event, ``(b,)``.
        event: 1 = observed, 0 = censored, ``(b,)``.
        time: to event or censoring, ``(b,)``.

    Returns:
        A scalar, in float32 at least; 0, with zero gradient, if there is no event.
    """
    log_hazard = log_hazard.to(torch.promote_types(log_hazard.dtype, torch.float32))
    event = event.bool()
    at_risk = time >= time[:, None]  # b b: patients at risk at the time of the row's patient
    tied = event & event[:, None] & (time == time[:, None])
    n_before, n_tied = tied.tril(-1).sum(1), tied.sum(1)
    share_out = n_before.to(log_hazard.dtype) / n_tied.clamp(min=1)
    weight = at_risk.to(log_hazard.dtype) - tied * share_out[:, None]
    log_at_risk = torch.logsumexp(log_hazard + weight.log(), dim=1)
    return (log_at_risk - log_hazard)[event].sum() / event.sum().clamp(min=1)
