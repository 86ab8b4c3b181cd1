"""The times that nnU-Net logs in each epoch."""

from collections.abc import Mapping, Sequence

# nnU-Net's names.
EPOCH_TIMES = ("epoch_start_timestamps", "epoch_end_timestamps")


def training_seconds(log: Mapping[str, Sequence[float]]) -> float:
    """Sum of the durations of a training's epochs, from ``EPOCH_TIMES``."""
    started, ended = (log[name] for name in EPOCH_TIMES)
    return float(sum(ended) - sum(started))
