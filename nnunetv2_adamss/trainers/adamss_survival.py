"""Stage II: the Stage-I network learns to predict survival (Sections 3.3, 3.4 and 4.2)."""

from torch import Tensor

from nnunetv2_adamss.networks.adamss import AdaMSSSurvival
from nnunetv2_adamss.networks.registry import ADAMSS
from nnunetv2_adamss.networks.survival_network import SurvivalNetwork
from nnunetv2_adamss.survival.discrete_time.loss import discrete_survival_loss
from nnunetv2_adamss.survival.training_data.case_data import SurvivalTargets
from nnunetv2_adamss.trainers.other_network import other_network
from nnunetv2_adamss.trainers.survival import SurvivalTrainer

# choice: Section 3.3 names L2 regularisation without its weight.
_L2_WEIGHT = 0.1


class AdaMSSSurvTrainer(SurvivalTrainer):
    """Survival fine-tuning: Stage I's encoder and decoder, a new head, Eq. (1)."""

    learning_rates: tuple[float, ...] = (5e-5, 1e-5, 1e-6)
    network_name = ADAMSS
    # Whether encoder and decoder come from Stage I.
    starts_from_stage_one = True

    def initialise_weights(self, network: SurvivalNetwork) -> None:
        """Take encoder and decoder from Stage I."""
        if not self.starts_from_stage_one:
            return
        if not isinstance(network, AdaMSSSurvival):
            raise other_network(network, AdaMSSSurvival)
        stage_one = self.setup.stage_one
        n_taken = network.load_stage_one(stage_one.weights())
        self.print_to_log_file(
            f"All {n_taken} tensors of encoder and decoder come from Stage I: {stage_one.checkpoint}"
        )

    def survival_loss(self, outputs: Tensor, targets: SurvivalTargets) -> Tensor:
        """Eq. (1)."""
        return discrete_survival_loss(outputs, targets.survived, targets.failed)

    def penalty(self) -> Tensor:
        """L2 on the fully-connected layers' weights (Section 3.3)."""
        network = self._bare_network
        if not isinstance(network, AdaMSSSurvival):
            raise other_network(network, AdaMSSSurvival)
        return _L2_WEIGHT * network.survival_head.squared_weights()
