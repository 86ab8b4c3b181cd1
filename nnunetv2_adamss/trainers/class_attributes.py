"""Users' own trainers of version 0.1: class attributes in the place of a recipe."""

from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any

from nnunetv2_adamss.methods.recipe import Recipe

# What was called otherwise in 0.1 than in a recipe or its schedule; the other attributes have the same names.
_FORMER_NAMES = {
    "own_batch_size": "batch_size",
    "own_weight_decay": "weight_decay",
    "network_name": "network",
}


def with_class_attributes(recipe: Recipe, classes: Iterable[type]) -> Recipe:
    """The recipe with what is set on these classes, of which the first has the last word."""
    attributes: dict[str, Any] = {}
    for cls in classes:
        attributes = {_FORMER_NAMES.get(name, name): value for name, value in vars(cls).items()} | attributes
    if "optimizer_class" in attributes:
        attributes["optimizer"] = attributes["optimizer_class"].__name__
    of_schedule, of_recipe = (
        {part.name: attributes[part.name] for part in fields(record) if part.name in attributes}
        for record in (recipe.schedule, recipe)
    )
    return replace(recipe, **of_recipe).with_schedule(**of_schedule)
