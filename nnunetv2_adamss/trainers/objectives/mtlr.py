"""Multi-task logistic regression as an objective."""

import torch
from torch import Tensor

from nnunetv2_adamss.networks.comparison.parts.mtlr_network import MTLRNetwork
from nnunetv2_adamss.survival.discrete_time.mtlr_loss import mtlr_loss
from nnunetv2_adamss.survival.training_data.case_data import SurvivalTargets
from nnunetv2_adamss.trainers.objectives.objective import Objective


class MTLR(Objective):
    """The objective of multi-task logistic regression.

    choice: the L2 weight is C1/2, beside the mean of the likelihood over the batch. deviation: bins end at quantiles of
    the events' times but for the last, which ends with the last patient; and risks follow from the predicted time, as
    for all networks here, while the publications sum the cumulative hazard.
    """

    network_kind = MTLRNetwork

    def survival_loss(self, outputs: Tensor, targets: SurvivalTargets) -> Tensor:
        """Compute the negative log-likelihood of multi-task logistic regression."""
        edges = torch.from_numpy(self.trainer.survival_fold.edges).to(targets.time)
        return mtlr_loss(outputs, targets.event, targets.time, edges)
