"""The paper's learning rate: constant, dropped twice (Section 4.2)."""

from collections.abc import Sequence

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from nnunetv2_adamss.methods.recipe import DROPS_AT


class StepwiseLR(LRScheduler):
    """A learning rate for each part of the training, as a pure function of the epoch.

    nnU-Net calls ``step(epoch)`` before the epoch's first iteration and saves no scheduler state, so a
    resumed training must compute its rate from the epoch alone. torch's own schedulers count calls.

    Args:
        optimizer: its parameter groups get the rate, or a multiple of it if a group has a ``multiple``.
        learning_rates: one more than there are drops.
        n_epochs: length of the training.
        drops_at: fractions of it at which the rate drops.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        learning_rates: Sequence[float],
        n_epochs: int,
        drops_at: Sequence[float] = DROPS_AT,
    ) -> None:
        self.learning_rates = tuple(learning_rates)
        self.drop_epochs = tuple(round(fraction * n_epochs) for fraction in drops_at)
        super().__init__(optimizer)

    def learning_rate(self, epoch: int) -> float:
        """Learning rate of an epoch, counted from 0."""
        return self.learning_rates[sum(epoch >= drop for drop in self.drop_epochs)]

    def step(self, epoch: int | None = None) -> None:
        """Set the rate of ``epoch``; without one, of the epoch after the last."""
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate(self.last_epoch) * group.get("multiple", 1.0)
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]
