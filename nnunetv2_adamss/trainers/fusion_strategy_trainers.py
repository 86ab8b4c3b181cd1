"""The fusion strategies that the paper compares with (Table III). Their names stand in users' checkpoints.

None of them uses radiomics, as in the paper's ablation studies (Section 4.4); the data-driven strategy of that table is
AdaMSSSurvTrainer_NoRadiomics.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from nnunetv2_adamss.networks.fusion_strategies import (
    CTEncoder,
    EarlyFusionEncoder,
    IntermediateFusionEncoder,
    LateFusionEncoder,
    PETEncoder,
)
from nnunetv2_adamss.survival.covariates.covariate_tables import CovariateUse
from nnunetv2_adamss.survival.nnunet_data.dataset import channel_names
from nnunetv2_adamss.survival.nnunet_data.modalities import Modality, find_channel
from nnunetv2_adamss.trainers.adamss_survival import AdaMSSSurvTrainer
from nnunetv2_adamss.trainers.adamss_trainer import AdaMSSTrainer
from nnunetv2_adamss.trainers.segmentation import AdaMSSSegTrainer
from nnunetv2_adamss.trainers.segmentation_variants import AdaMSSSegTrainer_ShortSchedule
from nnunetv2_adamss.trainers.survival_variants import AdaMSSSurvTrainer_ShortSchedule


def _after(stage_one: type[AdaMSSSegTrainer]) -> Mapping[str, str]:
    """Default settings of the Stage II that starts from this Stage I."""
    return MappingProxyType({"seg_trainer": stage_one.__name__})


# --------------------------------------------------------------------------------------- of one modality


class _OneModality(AdaMSSTrainer):
    """Refuses a data set in which the modality cannot be told."""

    modality: Modality

    @classmethod
    def check_plan(cls, plans: dict[str, Any], configuration: str, dataset_json: dict[str, Any]) -> None:
        """As every trainer, and that one channel is of this modality."""
        find_channel(channel_names(dataset_json), cls.modality)
        super().check_plan(plans, configuration, dataset_json)


class _OneModalitySeg(_OneModality, AdaMSSSegTrainer):
    """Tells the network which channel it sees; Stage II takes that from Stage I with all weights."""

    def initialize(self) -> None:
        """As nnU-Net, with this data set's channel."""
        super().initialize()
        self._use_channel()

    def on_train_start(self) -> None:
        """As nnU-Net, with this data set's channel even if ``-pretrained_weights`` brought another's."""
        super().on_train_start()
        self._use_channel()

    def _use_channel(self) -> None:
        network = self.network.module if self.is_ddp else self.network
        network.encoder.use_channel(find_channel(channel_names(self.dataset_json), self.modality))


class AdaMSSSegTrainer_PETOnly(_OneModalitySeg):
    """Stage I on PET alone."""

    modality = "PET"
    fusion = PETEncoder


class AdaMSSSegTrainer_ShortSchedule_PETOnly(AdaMSSSegTrainer_PETOnly, AdaMSSSegTrainer_ShortSchedule):
    """The short schedule of Stage I on PET alone."""


class AdaMSSSurvTrainer_PETOnly(_OneModality, AdaMSSSurvTrainer):
    """Stage II on PET alone."""

    modality = "PET"
    network_name = "adamss_pet_only"
    covariate_use = CovariateUse(radiomics=False)
    default_settings = _after(AdaMSSSegTrainer_PETOnly)


class AdaMSSSurvTrainer_ShortSchedule_PETOnly(AdaMSSSurvTrainer_PETOnly, AdaMSSSurvTrainer_ShortSchedule):
    """The short schedule of Stage II on PET alone."""

    default_settings = _after(AdaMSSSegTrainer_ShortSchedule_PETOnly)


class AdaMSSSegTrainer_CTOnly(_OneModalitySeg):
    """Stage I on CT alone."""

    modality = "CT"
    fusion = CTEncoder


class AdaMSSSegTrainer_ShortSchedule_CTOnly(AdaMSSSegTrainer_CTOnly, AdaMSSSegTrainer_ShortSchedule):
    """The short schedule of Stage I on CT alone."""


class AdaMSSSurvTrainer_CTOnly(_OneModality, AdaMSSSurvTrainer):
    """Stage II on CT alone."""

    modality = "CT"
    network_name = "adamss_ct_only"
    covariate_use = CovariateUse(radiomics=False)
    default_settings = _after(AdaMSSSegTrainer_CTOnly)


class AdaMSSSurvTrainer_ShortSchedule_CTOnly(AdaMSSSurvTrainer_CTOnly, AdaMSSSurvTrainer_ShortSchedule):
    """The short schedule of Stage II on CT alone."""

    default_settings = _after(AdaMSSSegTrainer_ShortSchedule_CTOnly)


# ------------------------------------------------------------------------------------- of all modalities


class AdaMSSSegTrainer_EarlyFusion(AdaMSSSegTrainer):
    """Stage I on the modalities as channels of one image."""

    fusion = EarlyFusionEncoder


class AdaMSSSegTrainer_ShortSchedule_EarlyFusion(
    AdaMSSSegTrainer_EarlyFusion, AdaMSSSegTrainer_ShortSchedule
):
    """The short schedule of Stage I with early fusion."""


class AdaMSSSurvTrainer_EarlyFusion(AdaMSSSurvTrainer):
    """Stage II on the modalities as channels of one image."""

    network_name = "adamss_early_fusion"
    covariate_use = CovariateUse(radiomics=False)
    default_settings = _after(AdaMSSSegTrainer_EarlyFusion)


class AdaMSSSurvTrainer_ShortSchedule_EarlyFusion(
    AdaMSSSurvTrainer_EarlyFusion, AdaMSSSurvTrainer_ShortSchedule
):
    """The short schedule of Stage II with early fusion."""

    default_settings = _after(AdaMSSSegTrainer_ShortSchedule_EarlyFusion)


class AdaMSSSegTrainer_LateFusion(AdaMSSSegTrainer):
    """Stage I with modalities that meet in the decoder."""

    fusion = LateFusionEncoder


class AdaMSSSegTrainer_ShortSchedule_LateFusion(AdaMSSSegTrainer_LateFusion, AdaMSSSegTrainer_ShortSchedule):
    """The short schedule of Stage I with late fusion."""


class AdaMSSSurvTrainer_LateFusion(AdaMSSSurvTrainer):
    """Stage II with modalities that meet in the decoder."""

    network_name = "adamss_late_fusion"
    covariate_use = CovariateUse(radiomics=False)
    default_settings = _after(AdaMSSSegTrainer_LateFusion)


class AdaMSSSurvTrainer_ShortSchedule_LateFusion(
    AdaMSSSurvTrainer_LateFusion, AdaMSSSurvTrainer_ShortSchedule
):
    """The short schedule of Stage II with late fusion."""

    default_settings = _after(AdaMSSSegTrainer_ShortSchedule_LateFusion)


class AdaMSSSegTrainer_IntermediateFusion(AdaMSSSegTrainer):
    """Stage I with sums in the place of gates."""

    fusion = IntermediateFusionEncoder


class AdaMSSSegTrainer_ShortSchedule_IntermediateFusion(
    AdaMSSSegTrainer_IntermediateFusion, AdaMSSSegTrainer_ShortSchedule
):
    """The short schedule of Stage I with intermediate fusion."""


class AdaMSSSurvTrainer_IntermediateFusion(AdaMSSSurvTrainer):
    """Stage II with sums in the place of gates."""

    network_name = "adamss_intermediate_fusion"
    covariate_use = CovariateUse(radiomics=False)
    default_settings = _after(AdaMSSSegTrainer_IntermediateFusion)


class AdaMSSSurvTrainer_ShortSchedule_IntermediateFusion(
    AdaMSSSurvTrainer_IntermediateFusion, AdaMSSSurvTrainer_ShortSchedule
):
    """The short schedule of Stage II with intermediate fusion."""

    default_settings = _after(AdaMSSSegTrainer_ShortSchedule_IntermediateFusion)
