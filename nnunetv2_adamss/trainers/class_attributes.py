"""Support for users' own trainers of version 0.1, which have class attributes instead of a recipe."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import torch

from nnunetv2_adamss.methods.recipe import Recipe
from nnunetv2_adamss.networks.fusion_strategies import FUSION_STRATEGIES

# Their names in a schedule and in a recipe.
_OF_SCHEDULE: Mapping[str, str] = {
    "n_epochs": "n_epochs", "n_iterations": "n_iterations", "n_val_iterations": "n_val_iterations",
    "learning_rates": "learning_rates", "drops_at": "drops_at", "optimizer_class": "optimizer",
    "own_weight_decay": "weight_decay", "own_batch_size": "batch_size",
}  # fmt: skip
_OF_RECIPE: Mapping[str, str] = {
    "network_name": "network", "fusion": "network", "modality": "modality", "covariate_use": "covariate_use",
    "default_settings": "default_settings", "starts_from_stage_one": "starts_from_stage_one",
    "predicts_training_cases": "predicts_training_cases", "survival_weight": "survival_weight",
    "segmentation_weight": "segmentation_weight", "l2_weight": "l2_weight",
}  # fmt: skip
# Methods that subclasses of the trainer used to override, and that objectives have now.
_OF_OBJECTIVE = (
    "training_loss", "batch_loss", "survival_loss", "segmentation_loss", "penalty", "needs_even_shares",
    "initialise_weights",
)  # fmt: skip


def with_class_attributes(recipe: Recipe, name: str, classes: Iterable[type]) -> Recipe:
    """Recipe with the attributes that are set on these classes, of which the first takes precedence.

    Args:
        recipe: of the trainer that they are subclasses of.
        name: of the trainer, for messages.
        classes: the user's own.

    Raises:
        TypeError: if they set something that a recipe cannot hold, which would silently be ignored.
    """
    attributes: dict[str, Any] = {}
    for cls in classes:
        attributes = {**vars(cls), **attributes}
    if lost := [one for one in _OF_OBJECTIVE if one in attributes]:
        raise TypeError(
            f"{name} has {', '.join(lost)}, which trainers of version 0.1 had. Losses are objectives now: subclass one "
            "of nnunetv2_adamss.trainers.objectives, and override 'initialize' to use it."
        )
    of_schedule = {new: attributes[old] for old, new in _OF_SCHEDULE.items() if old in attributes}
    of_recipe = {new: attributes[old] for old, new in _OF_RECIPE.items() if old in attributes}
    if "optimizer_class" in attributes:
        of_schedule["optimizer"] = _name_of_optimizer(name, attributes["optimizer_class"])
    if "fusion" in attributes:
        of_recipe["network"] = _name_of_fusion(name, attributes["fusion"])
    return replace(recipe, **of_recipe).with_schedule(**of_schedule)


def _name_of_optimizer(name: str, optimizer: type) -> str:
    if getattr(torch.optim, optimizer.__name__, None) is not optimizer:
        raise TypeError(
            f"{name} has the optimizer_class {optimizer.__name__}, which is not of torch.optim; override "
            "'configure_optimizers' instead."
        )
    return optimizer.__name__


def _name_of_fusion(name: str, fusion: Any) -> str:
    for network, strategy in FUSION_STRATEGIES.items():
        if strategy is fusion:
            return network
    raise TypeError(
        f"{name} has a fusion that is none of this package's; override 'build_network_architecture' instead."
    )
