"""The objective of a survival network: its loss, its penalty, and hooks into the training."""

from abc import ABC, abstractmethod

from torch import Tensor

from nnunetv2_adamss.networks.survival_network import MultiTaskOutput, SurvivalNetwork, survival_outputs
from nnunetv2_adamss.survival.training_data.case_data import Sample, SurvivalTargets
from nnunetv2_adamss.trainers.checked_network import checked_network
from nnunetv2_adamss.trainers.survival_fold import SurvivalFoldTrainer


class Objective(ABC):
    """A survival loss, the penalty on the weights, and hooks that most losses leave empty.

    The survival trainer holds one and calls it; to add a loss, subclass this and name it in ``survival_trainer.py``.

    Args:
        trainer: fold, network, devices and recipe; fold and network are there once it is initialised.
    """

    # The kind of networks whose outputs it takes.
    network_kind: type[SurvivalNetwork]
    # Whether the GPUs must have equal shares of a batch, since the loss is not a mean over its cases.
    needs_even_shares = False

    def __init__(self, trainer: SurvivalFoldTrainer) -> None:
        self.trainer = trainer

    def check_network(self) -> None:
        """Raise ValueError if the trainer's network is of another kind."""
        checked_network(self.trainer.bare_network, self.network_kind)

    def training_loss(self, output: Tensor | MultiTaskOutput, batch: Sample) -> Tensor:
        """Compute the loss of the network's output for this GPU's share of a batch, a scalar.

        The mean over the GPUs is minimised.
        """
        return self.batch_loss(survival_outputs(output), batch["targets"].to(self.trainer.device))

    def batch_loss(self, outputs: Tensor, targets: SurvivalTargets) -> Tensor:
        """Compute the survival loss of this GPU's share of a batch, a scalar."""
        return self.survival_loss(outputs, targets)

    @abstractmethod
    def survival_loss(self, outputs: Tensor, targets: SurvivalTargets) -> Tensor:
        """Compute the loss of outputs ``(b, n_outputs)``, a scalar.

        The validation calls it once for all scoring cases, in float64 on the CPU.
        """

    def penalty(self) -> Tensor:
        """Compute the L2 penalty on the network's weights, a scalar that is added to the loss."""
        return self.trainer.recipe.l2_weight * self.trainer.bare_network.squared_weights()

    def start_epoch(self) -> None:  # noqa: B027  a hook, as those below
        """Hook before an epoch's first step."""

    def after_step(self, batch: Sample) -> None:  # noqa: B027
        """Hook after each step, with its batch."""

    def end_epoch(self) -> None:  # noqa: B027
        """Hook after an epoch's last step, before the validation."""

    def write_validation(self) -> None:  # noqa: B027
        """Hook at the end of the training, before predictions and summary are written."""
