"""The trainers of both stages by their public names: ``from nnunetv2_adamss.trainers import AdaMSSSurvTrainer``.

The names are in ``methods/table.py``. Each class is made on first access, so that this module imports nothing heavy.
"""

import sys
from typing import Any

from nnunetv2_adamss.methods.recipe import SurvivalRecipe
from nnunetv2_adamss.methods.table import RECIPES, SUMMARIES

# Modules in which version 0.1 had these classes, and from which users' own trainers import them.
for _former in (
    "adamss_survival",
    "comparison",
    "fusion_strategies",
    "learning_strategies",
    "segmentation",
    "segmentation_variants",
    "survival_variants",
):
    sys.modules[f"{__name__}.{_former}"] = sys.modules[__name__]


def __getattr__(name: str) -> Any:
    if name not in RECIPES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return globals().setdefault(name, _make_trainer(name))


def __dir__() -> list[str]:
    return sorted(RECIPES)


def _make_trainer(name: str) -> type:
    from nnunetv2_adamss.trainers.segmentation_trainer import SegmentationTrainer  # noqa: PLC0415
    from nnunetv2_adamss.trainers.survival_trainer import SurvivalTrainer  # noqa: PLC0415

    recipe = RECIPES[name]
    base = SurvivalTrainer if isinstance(recipe, SurvivalRecipe) else SegmentationTrainer
    return type(name, (base,), {"recipe": recipe, "__doc__": SUMMARIES[name], "__module__": __name__})
