"""What a trainer is set to, as plain data that imports nothing heavy, so that commands can read it at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from nnunetv2_adamss.survival.covariates.covariate_use import CovariateUse
from nnunetv2_adamss.survival.nnunet_data.modalities import Modality

# Section 4.2: 10,000 iterations with drops at the 4,000th and 8,000th.
DROPS_AT = (0.4, 0.8)
# Iterations of an epoch: as many as show every training case once.
ONE_PASS = 0


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How long and how fast a network learns; by default as long as in the paper (Section 4.2).

    choice: 10,000 iterations are counted as 50 epochs of 200.

    Args:
        learning_rates: one more than there are drops.
        drops_at: fractions of the training at which the next learning rate begins.
        n_epochs: length, unless ``--epochs`` says otherwise.
        n_iterations: of an epoch; ``ONE_PASS`` for as many as show every training case once.
        n_val_iterations: of a validation; nnU-Net's number. Survival is validated on whole cases, once each.
        optimizer: a class of ``torch.optim``.
        weight_decay: of the optimizer.
        batch_size: cases of a batch, of all GPUs together; None for the plan's number. Stage I has always the plan's.
    """

    learning_rates: tuple[float, ...]
    drops_at: tuple[float, ...] = DROPS_AT
    n_epochs: int = 50
    n_iterations: int = 200
    n_val_iterations: int = 50
    optimizer: str = "Adam"
    weight_decay: float = 0.0
    batch_size: int | None = None


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What the trainers of both stages are set to.

    Args:
        schedule: how long and how fast.
        network: its name in the registry of networks and in checkpoints. Stage I has the same as the Stage II that
            starts from it.
        modality: the only one that the network sees; None if it sees all.
    """

    schedule: Schedule
    network: str = "adamss"
    modality: Modality | None = None

    def with_schedule(self, **changes: Any) -> Self:
        """The same with another schedule; arguments are those of ``Schedule`` that change."""
        return replace(self, schedule=replace(self.schedule, **changes))


@dataclass(frozen=True, kw_only=True)
class SegmentationRecipe(Recipe):
    """What a Stage-I trainer is set to.

    Args:
        mirrors_at_prediction: whether nnU-Net's prediction averages over mirrored images, eight times as long.
    """

    mirrors_at_prediction: bool = True


@dataclass(frozen=True, kw_only=True)
class SurvivalRecipe(Recipe):
    """What a survival trainer is set to.

    Args:
        objective: name of the survival loss: ``discrete_time``, ``cox`` or ``mtlr``.
        l2_weight: what the sum of squares of the network's punished weights is multiplied by.
        segmentation_loss: for a network that also segments, ``dice`` or ``dice_focal``; None for one that does not.
        survival_weight: of the survival loss beside a segmentation loss.
        segmentation_weight: of the segmentation loss.
        starts_from_stage_one: whether encoder and decoder come from Stage I.
        covariate_use: what the network gets beside the image.
        default_settings: settings whose default is not that of ``SurvivalConfig``.
        needs_crops: why the network can only predict crops (``--pool crops``); None if it can predict whole regions.
        predicts_training_cases: whether the training cases are predicted at the end too.
    """

    objective: str = "discrete_time"
    l2_weight: float
    segmentation_loss: str | None = None
    survival_weight: float = 1.0
    segmentation_weight: float = 1.0
    starts_from_stage_one: bool = False
    covariate_use: CovariateUse = field(default_factory=CovariateUse)
    default_settings: Mapping[str, Any] = field(default_factory=dict)
    needs_crops: str | None = None
    predicts_training_cases: bool = False

    @property
    def segments(self) -> bool:
        """Whether the network also segments."""
        return self.segmentation_loss is not None
