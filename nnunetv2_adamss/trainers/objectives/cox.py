"""Cox's partial likelihood as an objective: risk sets are whole batches, curves need a baseline hazard."""

from typing import cast

import numpy as np
import torch
from torch import Tensor

from nnunetv2_adamss.networks.comparison.parts.cox_network import CoxNetwork
from nnunetv2_adamss.networks.survival_network import survival_outputs
from nnunetv2_adamss.survival.cox.baseline_hazard import baseline_hazard, sampling_weights
from nnunetv2_adamss.survival.cox.partial_likelihood import cox_loss
from nnunetv2_adamss.survival.training_data.case_data import Sample, SurvivalTargets
from nnunetv2_adamss.trainers.objectives.objective import Objective

# With batches of 8, enough for over a hundred patients, at less than a tenth of the time of an epoch of 50 steps.
_BASELINE_STEPS = 16


class Cox(Objective):
    """Cox's partial likelihood within batches, with a baseline hazard after every epoch.

    choice: Breslow's estimate from the batches of the epoch's last 16 steps. After each step the network predicts
    the batch again in evaluation mode, since dropout and the batch's own statistics change the size of log hazards.
    Half of a batch has events, so cases are weighted to make events as frequent as among the training cases.
    """

    network_kind = CoxNetwork
    needs_even_shares = True
    # From the batches by which the baseline hazard is estimated, by case_id.
    log_hazards: dict[str, float]
    _steps_of_epoch: int

    def survival_loss(self, outputs: Tensor, targets: SurvivalTargets) -> Tensor:
        """Compute Cox's negative log partial likelihood."""
        return cox_loss(outputs[:, 0], targets.event, targets.time)

    def batch_loss(self, outputs: Tensor, targets: SurvivalTargets) -> Tensor:
        """Compute the loss of the batch of all GPUs, since risk sets are whole batches."""
        gather = self.trainer.ranks.gather_batch
        return self.survival_loss(gather(outputs), SurvivalTargets(*map(gather, targets)))

    def start_epoch(self) -> None:
        """Discard the last epoch's log hazards."""
        self._steps_of_epoch, self.log_hazards = 0, {}

    def after_step(self, batch: Sample) -> None:
        """Predict the batch again, in the last steps of the epoch."""
        self._steps_of_epoch += 1
        if self._steps_of_epoch > self.trainer.num_iterations_per_epoch - _BASELINE_STEPS:
            log_hazards = self._predict(batch).double().tolist()
            self.log_hazards |= dict(zip(batch["case_id"], log_hazards, strict=True))

    def _predict(self, batch: Sample) -> Tensor:
        """Predict log hazards ``(b,)`` by the network in evaluation mode."""
        network = self.trainer.bare_network.eval()
        with torch.no_grad(), self.trainer.autocast():
            output = network(*self.trainer.inputs(batch))
        network.train()
        return survival_outputs(output)[:, 0]

    def end_epoch(self) -> None:
        """Estimate the baseline hazard of the epoch."""
        trainer = self.trainer
        log_hazards = trainer.ranks.gather(self.log_hazards)
        time, event = trainer.setup.table.time_and_event(list(log_hazards))
        _, events_of_cohort = trainer.setup.table.time_and_event(trainer.survival_fold.training_cases)
        increases = baseline_hazard(
            np.array(list(log_hazards.values())),
            event,
            time,
            trainer.survival_fold.edges,
            sampling_weights(event, events_of_cohort),
        )
        cast(CoxNetwork, trainer.bare_network).baseline_hazard.copy_(torch.from_numpy(increases))
