"""nnU-Net's log and progress plot, with the C-index instead of the pseudo Dice."""

import math
from pathlib import Path

from nnunetv2.training.logging.nnunet_logger import LocalLogger

C_INDEX = "val_c_index"
_SAME_AS_NNUNET = ("train_losses", "val_losses", "lrs", "epoch_start_timestamps", "epoch_end_timestamps")


class SurvivalLog(LocalLogger):
    """Log of losses, C-index, learning rate and times, one value an epoch."""

    def __init__(self, verbose: bool = False) -> None:
        super().__init__(verbose)
        self.my_fantastic_logging: dict[str, list[float]] = {name: [] for name in (*_SAME_AS_NNUNET, C_INDEX)}

    def plot_progress_png(self, output_folder: str) -> None:
        """Draw ``progress.png``: losses and C-index, epoch duration, learning rate."""
        import matplotlib  # noqa: PLC0415  nnU-Net has set its backend by now

        log = self.my_fantastic_logging
        n_epochs = min(len(values) for values in log.values())
        epochs = range(n_epochs)
        # Not with pyplot, whose figures stay in memory until they are closed.
        figure = matplotlib.figure.Figure(figsize=(10, 12), layout="constrained")
        losses, durations, rates = figure.subplots(3, 1, sharex=True)
        losses.plot(epochs, log["train_losses"][:n_epochs], "b-", label="training loss")
        losses.plot(epochs, log["val_losses"][:n_epochs], "r-", label="validation loss")
        losses.set(ylabel="negative log-likelihood")
        scores = losses.twinx()
        scores.plot(epochs, log[C_INDEX][:n_epochs], "g.-", label="validation C-index")
        scores.axhline(0.5, color="g", linestyle=":", linewidth=1, label="C-index of a guess")
        scores.set(ylabel="C-index", ylim=(0, 1))
        lines = [*losses.get_lines(), *scores.get_lines()]
        losses.legend(lines, [str(line.get_label()) for line in lines], loc="upper center", ncols=2)
        starts_and_ends = zip(log["epoch_start_timestamps"], log["epoch_end_timestamps"], strict=False)
        durations.plot(epochs, [end - start for start, end in starts_and_ends][:n_epochs], "b-")
        durations.set(ylabel="seconds an epoch", ylim=(0, None))
        rates.plot(epochs, log["lrs"][:n_epochs], "b-")
        rates.set(ylabel="learning rate", xlabel="epoch", yscale="log")
        rates.xaxis.get_major_locator().set_params(integer=True)
        figure.savefig(Path(output_folder) / "progress.png", dpi=100)


def shown(c_index: float) -> str:
    """Format a C-index for a message."""
    return f"{c_index:.4f}" if math.isfinite(c_index) else "none (no comparable pair)"
