"""The paper's objective: discrete-time survival, Eq. (1) (Sections 3.3 and 3.4)."""

from torch import Tensor

from nnunetv2_adamss.networks.survival_network import DiscreteTimeNetwork
from nnunetv2_adamss.survival.discrete_time.loss import LossReduction, discrete_survival_loss
from nnunetv2_adamss.survival.training_data.case_data import SurvivalTargets
from nnunetv2_adamss.trainers.objectives.objective import Objective


class DiscreteTime(Objective):
    """Negative log-likelihood of surviving each interval."""

    network_kind = DiscreteTimeNetwork

    def survival_loss(self, outputs: Tensor, targets: SurvivalTargets) -> Tensor:
        """Compute Eq. (1), or by the setting ``loss_reduction`` its mean over the intervals."""
        config = self.trainer.survival_fold.config
        reduction: LossReduction = "sum" if config.loss_reduction == "sum" else "mean"
        return discrete_survival_loss(outputs, targets.survived, targets.failed, reduction)
