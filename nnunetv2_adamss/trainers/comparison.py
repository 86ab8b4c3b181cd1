"""The deep networks that the paper compares with (Table I). Their names stand in users' checkpoints.

Regions, crops, augmentation and balanced batches are those of AdaMSS, so that methods differ in network, loss and
schedule alone; covariates are the clinical indicators, as in the paper. docs/comparison_methods.md says what comes from
the publications.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import torch
from nnunetv2.training.loss.dice import MemoryEfficientSoftDiceLoss
from torch import Tensor

from nnunetv2_adamss.networks.comparison.parts.cox_network import CoxNetwork
from nnunetv2_adamss.networks.comparison.parts.mtlr_network import MTLRNetwork
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.covariates.covariate_tables import CovariateUse
from nnunetv2_adamss.survival.discrete_time.mtlr_loss import mtlr_loss
from nnunetv2_adamss.survival.training_data.case_data import SurvivalTargets
from nnunetv2_adamss.trainers.cox import CoxTrainer
from nnunetv2_adamss.trainers.dice_focal_loss import RegionDiceFocalLoss
from nnunetv2_adamss.trainers.multi_task import MultiTaskTrainer
from nnunetv2_adamss.trainers.other_network import other_network
from nnunetv2_adamss.trainers.survival import SurvivalTrainer

# Iterations of an epoch: as many as show every training case once.
_ONE_PASS = 0


class _ComparisonTrainer(SurvivalTrainer):
    """A survival network with its publication's optimiser and schedule."""

    covariate_use = CovariateUse(radiomics=False)
    # What the sum of squares of the network's punished weights is multiplied by.
    l2_weight: float

    def penalty(self) -> Tensor:
        """L2 on the weights that the publication names."""
        network = self._bare_network
        if not isinstance(network, CoxNetwork | MTLRNetwork):
            raise other_network(network, CoxNetwork, MTLRNetwork)
        return self.l2_weight * network.squared_weights()


class _CoxTrainer(CoxTrainer, _ComparisonTrainer):
    """Cox's partial likelihood on DeepMTS's schedule."""

    own_batch_size = 8
    # 10,000 iterations; the publication's last drop, to 1e-6, is at their end.
    n_epochs = 200
    n_iterations = 50
    learning_rates: tuple[float, ...] = (1e-4, 5e-5, 1e-5)
    drops_at = (50 / 200, 100 / 200)
    l2_weight = 0.1


class _MTLRTrainer(_ComparisonTrainer):
    """Multi-task logistic regression.

    choice: the L2 weight is C1/2, beside the mean of the likelihood over the batch. deviation: bins end at quantiles of
    the events' times but for the last, which ends with the last patient; and risks follow from the predicted time, as
    everywhere here, where the publications sum the cumulative hazard.
    """

    default_settings: Mapping[str, Any] = MappingProxyType(
        {"n_intervals": 14, "interval_rule": "event_quantile"}
    )
    own_batch_size = 16
    n_epochs = 100
    n_iterations = _ONE_PASS

    def initialize(self) -> None:
        """As every survival trainer, with the publications' iterations an epoch."""
        super().initialize()
        if self.n_iterations == _ONE_PASS:
            n_cases = len(self.survival_fold.training_cases)
            self.num_iterations_per_epoch = math.ceil(n_cases / self.total_batch_size)

    def survival_loss(self, outputs: Tensor, targets: SurvivalTargets) -> Tensor:
        """The negative log-likelihood of multi-task logistic regression."""
        edges = torch.from_numpy(self.survival_fold.edges).to(targets.time)
        return mtlr_loss(outputs, targets.event, targets.time, edges)


class DeepMTSTrainer(_CoxTrainer, MultiTaskTrainer):
    """DeepMTS: negative Dice plus Cox's partial likelihood."""

    network_name = "deepmts"

    def segmentation_loss(self, logits: Tensor, tumour: Tensor) -> Tensor:
        """Negative soft Dice."""
        dice = MemoryEfficientSoftDiceLoss(
            torch.sigmoid, batch_dice=self.configuration_manager.batch_dice, smooth=1e-5, ddp=self.is_ddp
        )
        loss: Tensor = dice(logits, tumour[:, :1], loss_mask=tumour[:, 1:] == 0)
        return loss


class MDSNProxyTrainer(_CoxTrainer):
    """A stand-in for MDSN. choice: DeepMTS's schedule, since its own is not known."""

    network_name = "mdsn_proxy"


class DeepMTLRTrainer(_MTLRTrainer):
    """The network of DeepMTLR-CoxPH."""

    network_name = "deepmtlr"
    # The publication's second drop, at epoch 150, is after its 100 epochs.
    learning_rates = (1.6e-2, 1.6e-3)
    drops_at = (50 / 100,)
    own_weight_decay = 1e-5
    l2_weight = 1 / 2
    # The other half of the method z-scores risks on the training cases.
    predicts_training_cases = True


class TMSSTrainer(_MTLRTrainer, MultiTaskTrainer):
    """TMSS: 0.7 of multi-task logistic regression and 0.3 of Dice plus Focal.

    choice: 100 epochs, which is not published.
    """

    network_name = "tmss"
    default_settings = MappingProxyType({**_MTLRTrainer.default_settings, "pool": "crops"})
    learning_rates = (4e-3, 4e-4)
    drops_at = (50 / 100,)
    optimizer_class = torch.optim.AdamW
    own_weight_decay = 1e-2
    survival_weight = 0.7
    segmentation_weight = 0.3
    l2_weight = survival_weight * 100 / 2

    @classmethod
    def check_settings(cls, config: SurvivalConfig) -> None:
        """Raise ValueError unless the network predicts crops."""
        if config.pool != "crops":
            raise ValueError(
                f"{cls.__name__} needs --pool crops, its default, not --pool {config.pool}: the positions that TMSS "
                "learns are those of a training crop."
            )

    def segmentation_loss(self, logits: Tensor, tumour: Tensor) -> Tensor:
        """Dice plus Focal of a sigmoid, with this project's Focal weights."""
        loss = RegionDiceFocalLoss(True, batch_dice=self.configuration_manager.batch_dice, ddp=self.is_ddp)
        return loss(logits, tumour)


class _ShortSchedule(_ComparisonTrainer):
    """Minutes instead of hours, for trying things out on small data: 400 iterations of few cases."""

    n_epochs = 10
    n_iterations = 40
    own_batch_size = 4


class _ShortCoxSchedule(_ShortSchedule):
    """The short schedule of the Cox networks, at ten times the learning rates."""

    learning_rates: tuple[float, ...] = (1e-3, 5e-4, 1e-4)


class DeepMTSTrainer_ShortSchedule(_ShortCoxSchedule, DeepMTSTrainer):
    """The short schedule, at ten times the learning rates."""


class MDSNProxyTrainer_ShortSchedule(_ShortCoxSchedule, MDSNProxyTrainer):
    """The short schedule, at ten times the learning rates."""


class DeepMTLRTrainer_ShortSchedule(_ShortSchedule, DeepMTLRTrainer):
    """The short schedule, at the same learning rates."""


class TMSSTrainer_ShortSchedule(_ShortSchedule, TMSSTrainer):
    """The short schedule, at the same learning rates."""
