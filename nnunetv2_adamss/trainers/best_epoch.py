"""The rule for the epoch whose weights become ``checkpoint_best``, from which Stage II starts (Section 4.2).

choice: the paper keeps "the highest validation results" and names no measure. In Stage I it is nnU-Net's mean
foreground Dice of the epoch's validation patches.
"""

import math
from collections.abc import Sequence


def last_epoch_is_best(scores: Sequence[float], losses: Sequence[float]) -> bool:
    """Return True if the last epoch is better than all before it.

    A higher validation score is better, a tie goes to the lower validation loss, and an equal pair to the
    earlier epoch. A score or loss that is not finite counts as the worst; a single epoch is always the best.

    Args:
        scores: one validation score an epoch.
        losses: one validation loss an epoch, of the same length.
    """
    ranks = [_rank(score, loss) for score, loss in zip(scores, losses, strict=True)]
    return len(ranks) == 1 or ranks[-1] > max(ranks[:-1])


def _rank(score: float, loss: float) -> tuple[float, float]:
    return (
        score if math.isfinite(score) else -math.inf,
        -loss if math.isfinite(loss) else -math.inf,
    )
