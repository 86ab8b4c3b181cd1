"""The learning strategies that the paper compares with (Table II). Their names stand in users' checkpoints.

Survival only and multi-task learning start from random weights; the two-stage strategy is AdaMSSSurvTrainer itself, and
segmentation only AdaMSSSegTrainer. None of them uses radiomics, as in the paper's ablation studies (Section 4.4).
"""

from torch import Tensor

from nnunetv2_adamss.survival.covariates.covariate_tables import CovariateUse
from nnunetv2_adamss.trainers.adamss_survival import AdaMSSSurvTrainer
from nnunetv2_adamss.trainers.dice_focal_loss import RegionDiceFocalLoss
from nnunetv2_adamss.trainers.multi_task import MultiTaskTrainer
from nnunetv2_adamss.trainers.survival_variants import AdaMSSSurvTrainer_ShortSchedule


class AdaMSSSurvTrainer_SurvivalOnly(AdaMSSSurvTrainer):
    """Survival without segmentation: the same network and crops, from random weights.

    choice: at Stage I's learning rates, since Stage II's are for fine-tuning; the paper names none.
    """

    covariate_use = CovariateUse(radiomics=False)
    starts_from_stage_one = False
    learning_rates = (1e-4, 5e-5, 1e-5)


class AdaMSSSurvTrainer_ShortSchedule_SurvivalOnly(AdaMSSSurvTrainer_ShortSchedule):
    """The short schedule of survival only, at the short Stage I's learning rates."""

    covariate_use = CovariateUse(radiomics=False)
    starts_from_stage_one = False
    learning_rates = (1e-3, 5e-4, 1e-4)


class _MultiTask(MultiTaskTrainer):
    """Stage I's and Stage II's losses on one network at once.

    choice: their plain sum; the paper gives no weights. The tumour is one class, the union of all labels.
    """

    network_name = "adamss_multi_task"

    def segmentation_loss(self, logits: Tensor, tumour: Tensor) -> Tensor:
        """Dice plus Focal, as in Stage I."""
        loss = RegionDiceFocalLoss(True, batch_dice=self.configuration_manager.batch_dice, ddp=self.is_ddp)
        return loss(logits, tumour)


class AdaMSSSurvTrainer_MultiTask(_MultiTask, AdaMSSSurvTrainer_SurvivalOnly):
    """Segmentation and survival in one training (multi-task learning), from random weights."""


class AdaMSSSurvTrainer_ShortSchedule_MultiTask(_MultiTask, AdaMSSSurvTrainer_ShortSchedule_SurvivalOnly):
    """The short schedule of multi-task learning."""
