"""Stage I: the network learns to segment the tumour (Sections 3.4 and 4.2)."""

import torch
from nnunetv2.utilities.plans_handling.plans_handler import ConfigurationManager, PlansManager
from torch import nn

from nnunetv2_adamss.networks.adamss import AdaMSS
from nnunetv2_adamss.networks.encoder import AdaFusionEncoder
from nnunetv2_adamss.networks.fusion_strategies import FusionStrategy
from nnunetv2_adamss.survival.nnunet_data.plan_stages import stages_of
from nnunetv2_adamss.trained_folds.training_cases import TRAINING_CASES, check_same_training_cases
from nnunetv2_adamss.trainers.adamss_trainer import AdaMSSTrainer
from nnunetv2_adamss.trainers.dice_focal_loss import LabelDiceFocalLoss, RegionDiceFocalLoss


class AdaMSSSegTrainer(AdaMSSTrainer):
    """Segmentation pretraining: Dice plus Focal loss, Adam, no deep supervision.

    deviation: the paper pairs a censored with an uncensored patient in every batch; Stage I does not look at
    outcomes, so batches, patches and augmentation are nnU-Net's.
    """

    learning_rates = (1e-4, 5e-5, 1e-5)
    fusion: FusionStrategy = AdaFusionEncoder

    @classmethod
    def build_network_architecture(
        cls,
        plans_manager: PlansManager,
        configuration_manager: ConfigurationManager,
        num_input_channels: int,
        num_output_channels: int,
        enable_deep_supervision: bool = False,
    ) -> nn.Module:
        """Build the network that the plan asks for; nnU-Net's prediction calls this too.

        Raises:
            ValueError: if AdaMSS cannot be built for this plan.
        """
        stages = stages_of(configuration_manager)
        return AdaMSS(
            num_input_channels,
            num_output_channels,
            stages.strides,
            stages.kernel_sizes,
            fusion=cls.fusion,
        )

    def do_split(self) -> tuple[list[str], list[str]]:
        """As nnU-Net; checkpoints keep the training cases, and go on with, or validate after, the same ones only.

        Raises:
            ValueError: if the split has changed since the training began.
        """
        training, validation = super().do_split()
        if self.current_epoch == 0:
            self.my_init_kwargs.setdefault(TRAINING_CASES, sorted(map(str, training)))
        check_same_training_cases(self.my_init_kwargs, training)
        return training, validation

    def _build_loss(self) -> nn.Module:
        # deviation: the paper has a sigmoid for one tumour class; nnU-Net has a softmax for exclusive labels.
        ignore_label = self.label_manager.ignore_label
        settings = {"batch_dice": self.configuration_manager.batch_dice, "ddp": self.is_ddp}
        loss: LabelDiceFocalLoss | RegionDiceFocalLoss
        if self.label_manager.has_regions:
            loss = RegionDiceFocalLoss(ignore_label is not None, **settings)
        else:
            loss = LabelDiceFocalLoss(ignore_label, **settings)
        if self._do_i_compile():
            loss.dice = torch.compile(loss.dice)
        return loss
