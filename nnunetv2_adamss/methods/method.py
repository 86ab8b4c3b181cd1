"""What a row of the paper's tables consists of, as plain data that imports nothing heavy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from nnunetv2_adamss.methods.recipe import Recipe, SurvivalRecipe
from nnunetv2_adamss.survival.covariates.covariate_use import CovariateUse

DeepRisks = Literal["in_sample", "out_of_fold"]
# The column of a deep method's risk among the inputs of a statistical fit.
DEEP_RISK = "deep_risk"


@dataclass(frozen=True)
class Trainer:
    """A trainer of nnU-Net's, and its short schedule: minutes instead of hours, for trying things out on small data.

    Args:
        name: of its class, for ``-tr``.
        short_name: of the class with the short schedule.
        summary: what it is, in a line.
        recipe: what it is set to.
        short_recipe: the same with the short schedule.
    """

    name: str
    short_name: str
    summary: str
    recipe: Recipe
    short_recipe: Recipe

    def name_of(self, *, short_schedule: bool) -> str:
        """Class name with this schedule."""
        return self.short_name if short_schedule else self.name


@dataclass(frozen=True)
class Published:
    """What the paper reports of its two test sets, which are other patients than anybody else's.

    Args:
        c_index: of OPC and NPC; None without one.
        dice: likewise.
    """

    c_index: tuple[float, float] | None
    dice: tuple[float, float] | None = None


@dataclass(frozen=True, kw_only=True)
class StatisticalFit:
    """A statistical method: what it looks at, and what it is fitted to.

    Args:
        folder: its name in the place of a trainer's.
        summary: what it is, in a line.
        risk: what is fitted, a file of ``statistical/risks/``.
        radiomics: whether it looks at radiomics.
        clinical: whether it looks at clinical indicators.
        all_features: whether it gets all features, not only selected ones.
        own_column: what it reads off the tumour's mask and the PET, a column's name; None for most.
        masks: whose masks it looks at whatever the user wants: ``reference``, or ``deep`` for those of its deep method;
            None for the user's choice.
        deep_risks: which of its deep method's risks it is fitted on: ``in_sample``, those that the same fold gives to
            its training cases, or ``out_of_fold``, those of the folds that did not train on a case.
        settings: of ``SurvivalConfig``, which the method does not leave to the user.
    """

    folder: str
    summary: str
    risk: str
    radiomics: bool = True
    clinical: bool = True
    all_features: bool = False
    own_column: str | None = None
    masks: Literal["reference", "deep"] | None = None
    deep_risks: DeepRisks | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def covariate_use(self) -> CovariateUse:
        """The covariates that are selected from and encoded."""
        return CovariateUse(self.radiomics, self.clinical)

    @property
    def extra_columns(self) -> tuple[str, ...]:
        """Names of its inputs beside the covariates."""
        if self.deep_risks is not None:
            return (DEEP_RISK,)
        return () if self.own_column is None else (self.own_column,)


@dataclass(frozen=True, kw_only=True)
class Method:
    """A row of a table: a network, a statistical method, or one that starts from a network's risks.

    Args:
        name: for ``--methods``, and for ``--method`` of a statistical one.
        title: of the row.
        tables: in which it stands.
        published: by the paper; None for what it does not report.
        stage_one: whose masks tell where the tumour is, and whose Dice it is where the method has no masks of its own.
        trainer: its survival network, or the network that its fit starts from; None without one.
        fit: of a statistical method; None for a network.
    """

    name: str
    title: str
    tables: tuple[int, ...]
    published: Published | None = None
    stage_one: Trainer
    trainer: Trainer | None = None
    fit: StatisticalFit | None = None

    @property
    def statistical_fit(self) -> StatisticalFit:
        """Its fit.

        Raises:
            ValueError: of a network.
        """
        if self.fit is None:
            raise ValueError(f"{self.title} is no statistical method.")
        return self.fit

    @property
    def survival_recipe(self) -> SurvivalRecipe | None:
        """Of its survival network; None without one."""
        recipe = self.trainer.recipe if self.trainer else None
        return recipe if isinstance(recipe, SurvivalRecipe) else None

    @property
    def starts_from_stage_one(self) -> bool:
        """Whether its survival network does."""
        return self.survival_recipe is not None and self.survival_recipe.starts_from_stage_one

    @property
    def has_own_masks(self) -> bool:
        """Whether its survival network segments, too."""
        return self.survival_recipe is not None and self.survival_recipe.segments

    @property
    def segments(self) -> bool:
        """Whether a Dice belongs to it: its own, or that of the Stage I that it starts from or consists of."""
        is_stage_one = self.trainer is None and self.fit is None
        return self.has_own_masks or self.starts_from_stage_one or is_stage_one

    @property
    def radiomics(self) -> Literal["predicted", "groundtruth"] | None:
        """Whose masks its radiomics are of; None if it uses none, or those of its own masks."""
        if self.fit is not None:
            of_masks: Mapping[Any, Any] = {"reference": "groundtruth", "deep": None, None: "predicted"}
            return of_masks[self.fit.masks] if self.fit.radiomics else None
        recipe = self.survival_recipe
        return "predicted" if recipe is not None and recipe.covariate_use.radiomics else None

    @property
    def needs_other_folds(self) -> bool:
        """Whether a fold needs the network in the other folds, too, and takes masks from them."""
        return self.fit is not None and self.fit.deep_risks == "out_of_fold"

    @property
    def measures_tumour(self) -> bool:
        """Whether it is read off the tumour's mask and the PET."""
        return self.fit is not None and self.fit.own_column is not None

    @property
    def chooses_masks(self) -> bool:
        """Whether a statistical method says whose masks it looks at, whatever the user wants of the others."""
        return self.radiomics == "groundtruth" or self.needs_other_folds

    @property
    def is_baseline(self) -> bool:
        """Whether it stands in every table."""
        return len(self.tables) > 1
