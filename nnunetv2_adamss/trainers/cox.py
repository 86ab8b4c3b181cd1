"""Training with Cox's partial likelihood: risk sets are whole batches, curves need a baseline hazard."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from nnunetv2_adamss.networks.comparison.parts.cox_network import CoxNetwork
from nnunetv2_adamss.networks.survival_network import survival_outputs
from nnunetv2_adamss.survival.cox.baseline_hazard import baseline_hazard
from nnunetv2_adamss.survival.cox.partial_likelihood import cox_loss
from nnunetv2_adamss.survival.training_data.case_data import Sample, SurvivalTargets
from nnunetv2_adamss.trainers.other_network import other_network
from nnunetv2_adamss.trainers.survival import SurvivalTrainer

# With batches of 8 enough for over a hundred patients, and less than a tenth of an epoch of 50 steps.
_BASELINE_STEPS = 16


class CoxTrainer(SurvivalTrainer):
    """Cox's partial likelihood within batches, with a baseline hazard after every epoch.

    choice: Breslow's estimate from the batches of the epoch's last 16 steps. After each the network, as it then
    predicts, sees the batch once more: with dropout and the batch's own statistics log hazards are of another size.
    """

    needs_even_shares = True
    _steps_of_epoch: int
    _log_hazards: dict[str, float]

    def survival_loss(self, outputs: Tensor, targets: SurvivalTargets) -> Tensor:
        """Cox's negative log partial likelihood."""
        return cox_loss(outputs[:, 0], targets.event, targets.time)

    def batch_loss(self, outputs: Tensor, targets: SurvivalTargets) -> Tensor:
        """The loss of the batch of all GPUs: a risk set is not the sum of its parts."""
        gather = self.ranks.gather_batch
        return self.survival_loss(gather(outputs), SurvivalTargets(*map(gather, targets)))

    def on_train_epoch_start(self) -> None:
        """As every survival trainer."""
        super().on_train_epoch_start()
        self._steps_of_epoch, self._log_hazards = 0, {}

    def train_step(self, batch: Sample) -> dict[str, Any]:
        """As every survival trainer; towards the end of the epoch also predicts the batch."""
        result = super().train_step(batch)
        self._steps_of_epoch += 1
        if self._steps_of_epoch > self.num_iterations_per_epoch - _BASELINE_STEPS:
            log_hazards = self._predict_batch(batch).double().tolist()
            self._log_hazards |= dict(zip(batch["case_id"], log_hazards, strict=True))
        return result

    def _predict_batch(self, batch: Sample) -> Tensor:
        """Log hazards ``(b,)`` by the network as it would predict now."""
        network = self._bare_network.eval()
        with torch.no_grad(), self._autocast():
            output = network(*self._inputs(batch))
        network.train()
        return survival_outputs(output)[:, 0]

    def on_train_epoch_end(self, train_outputs: list[dict[str, Any]]) -> None:
        """As every survival trainer, and the baseline hazard of the epoch."""
        super().on_train_epoch_end(train_outputs)
        log_hazards = self.ranks.gather(self._log_hazards)
        time, event = self.setup.table.time_and_event(list(log_hazards))
        increases = baseline_hazard(
            np.array(list(log_hazards.values())), event, time, self.survival_fold.edges
        )
        network = self._bare_network
        if not isinstance(network, CoxNetwork):
            raise other_network(network, CoxNetwork)
        network.baseline_hazard.copy_(torch.from_numpy(increases))
