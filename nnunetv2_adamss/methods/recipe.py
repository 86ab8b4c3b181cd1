"""Settings of trainers, as plain data that imports nothing heavy, so that commands start quickly."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from nnunetv2_adamss.survival.covariates.covariate_use import CovariateUse
from nnunetv2_adamss.survival.nnunet_data.modalities import Modality

# Section 4.2: 10,000 iterations with drops at the 4,000th and 8,000th.
DROPS_AT = (0.4, 0.8)
# Iterations of an epoch: enough to show every training case once.
ONE_PASS = 0


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Length and learning rates of a training; by default the paper's length (Section 4.2).

    The 10,000 iterations are 50 epochs of 200, after each of which the paper validates. deviation: its batches of two
    are of the plan's size here.

    Args:
        learning_rates: one more than drops.
        drops_at: fractions of the training at which the next learning rate begins.
        n_epochs: length, unless a survival training has ``--epochs``.
        n_iterations: length of an epoch, or ``ONE_PASS``.
        n_val_iterations: length of Stage I's validation; nnU-Net's own number.
        optimizer: a class of ``torch.optim``.
        weight_decay: the optimizer's.
        batch_size: cases of a survival batch; None for the plan's number, which Stage I always has.
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
    """Settings of a Stage-I trainer, and of every other trainer.

    Args:
        schedule: length and learning rates.
        network: its name in the registry of networks and in checkpoints; both stages of a network have the same.
        modality: the only one that the network sees; None if it sees all.
        mirrors_at_prediction: whether masks that nnU-Net predicts are means over mirrored images, which takes eight
            times as long.
    """

    schedule: Schedule
    network: str = "adamss"
    modality: Modality | None = None
    mirrors_at_prediction: bool = True

    def with_schedule(self, **changes: Any) -> Self:
        """Return the recipe with another schedule; arguments are those of ``Schedule`` that change."""
        return replace(self, schedule=replace(self.schedule, **changes))


@dataclass(frozen=True, kw_only=True)
class SurvivalRecipe(Recipe):
    """Settings of a survival trainer.

    Args:
        objective: the survival loss, by its name in ``survival_trainer.py``.
        l2_weight: factor of the sum of squares of the network's punished weights.
        segmentation_loss: its name in ``objectives/multi_task.py``; None for a network that does not segment.
        survival_weight: factor of the survival loss beside a segmentation loss.
        segmentation_weight: factor of the segmentation loss.
        starts_from_stage_one: whether encoder and decoder come from Stage I.
        covariate_use: covariates of the network.
        default_settings: settings whose default is not that of ``SurvivalConfig``.
        needs_crops: why the network can only predict crops (``--pool crops``); None if it predicts whole regions.
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
        """True if the network also segments."""
        return self.segmentation_loss is not None
