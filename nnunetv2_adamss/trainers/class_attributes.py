"""Users' own trainers of version 0.1: class attributes in the place of a recipe."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any

from nnunetv2_adamss.trainers.recipe import Recipe

# The attribute of 0.1 to the part of the schedule, or of the rest of the recipe.
_OF_SCHEDULE: Mapping[str, str] = MappingProxyType(
    {
        "learning_rates": "learning_rates",
        "drops_at": "drops_at",
        "n_epochs": "n_epochs",
        "n_iterations": "n_iterations",
        "n_val_iterations": "n_val_iterations",
        "optimizer_class": "optimizer",
        "own_weight_decay": "weight_decay",
        "own_batch_size": "batch_size",
    }
)
_OF_RECIPE: Mapping[str, str] = MappingProxyType(
    {
        "network_name": "network",
        "modality": "modality",
        "l2_weight": "l2_weight",
        "survival_weight": "survival_weight",
        "segmentation_weight": "segmentation_weight",
        "starts_from_stage_one": "starts_from_stage_one",
        "covariate_use": "covariate_use",
        "default_settings": "default_settings",
        "predicts_training_cases": "predicts_training_cases",
    }
)


def with_class_attributes(recipe: Recipe, classes: Iterable[type]) -> Recipe:
    """The recipe with what is set on these classes, of which the first has the last word."""
    attributes: dict[str, Any] = {}
    for cls in classes:
        attributes = {**vars(cls), **attributes}
    schedule = {new: attributes[old] for old, new in _OF_SCHEDULE.items() if old in attributes}
    if isinstance(schedule.get("optimizer"), type):
        schedule["optimizer"] = schedule["optimizer"].__name__
    known = {part.name for part in fields(recipe)}
    others = {new: attributes[old] for old, new in _OF_RECIPE.items() if old in attributes and new in known}
    return replace(recipe, schedule=replace(recipe.schedule, **schedule), **others)
