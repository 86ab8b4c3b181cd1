"""A row of the paper's tables and its parts, as plain data that imports nothing heavy."""

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
    """A trainer of nnU-Net's, and its short schedule: minutes instead of hours, for trials on small data.

    Args:
        name: class name, for ``-tr``.
        short_name: class name with the short schedule.
        summary: description in a line.
        recipe: its settings.
        short_recipe: the same with the short schedule.
    """

    name: str
    short_name: str
    summary: str
    recipe: Recipe
    short_recipe: Recipe

    def name_of(self, *, short_schedule: bool) -> str:
        """Return the class name with this schedule."""
        return self.short_name if short_schedule else self.name


@dataclass(frozen=True)
class Published:
    """Results that the paper reports of its two test sets, OPC and NPC.

    Args:
        c_index: of both test sets; None if it is not reported.
        dice: likewise.
    """

    c_index: tuple[float, float] | None
    dice: tuple[float, float] | None = None


@dataclass(frozen=True, kw_only=True)
class StatisticalFit:
    """A statistical method: its inputs, and the risk that is fitted.

    Args:
        folder: its name in the place of a trainer's, for ``-tr``.
        summary: description in a line.
        risk: name of a file in ``statistical/risks/``.
        radiomics: whether radiomics are inputs.
        clinical: whether clinical indicators are inputs.
        all_features: whether it gets all features, not only selected ones.
        own_column: name of a measure of the tumour that is the risk; None for most.
        masks: ``reference`` or ``deep`` (its network's own) where the method fixes them; None for the user's choice.
        deep_risks: the network's risks that it is fitted on: ``in_sample``, by the same fold, or ``out_of_fold``, by
            the folds that did not train on a case.
        settings: fixed entries of ``SurvivalConfig``.
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
        name: for ``--methods``.
        title: as tables print it.
        tables: in which it stands.
        published: results in the paper; None for those that it does not report.
        stage_one: gives the masks that place the region, and the Dice of a method without masks of its own.
        trainer: its survival network, or the network that its fit starts from; None without one.
        fit: the statistical fit; None for a network.
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
        """Statistical fit of the method.

        Raises:
            ValueError: if the method is a network.
        """
        if self.fit is None:
            raise ValueError(f"{self.title} is not a statistical method.")
        return self.fit

    @property
    def results(self) -> str | None:
        """Name of its results, for ``-tr``; None if it is Stage I alone."""
        if self.fit is not None:
            return self.fit.folder
        return self.trainer.name if self.trainer else None

    @property
    def survival_recipe(self) -> SurvivalRecipe | None:
        """The recipe of its survival network; None without one."""
        recipe = self.trainer.recipe if self.trainer else None
        return recipe if isinstance(recipe, SurvivalRecipe) else None

    @property
    def starts_from_stage_one(self) -> bool:
        """True if its survival network starts from Stage I."""
        return self.survival_recipe is not None and self.survival_recipe.starts_from_stage_one

    @property
    def has_own_masks(self) -> bool:
        """True if its survival network also segments."""
        return self.survival_recipe is not None and self.survival_recipe.segments

    @property
    def segments(self) -> bool:
        """True if it has a Dice: its own, or that of the Stage I that it starts from or consists of."""
        is_stage_one = self.trainer is None and self.fit is None
        return self.has_own_masks or self.starts_from_stage_one or is_stage_one

    @property
    def radiomics(self) -> Literal["predicted", "groundtruth"] | None:
        """The masks that its radiomics are extracted from; None if it uses none, or those of its own masks."""
        if self.fit is not None:
            of_masks: Mapping[Any, Any] = {"reference": "groundtruth", "deep": None, None: "predicted"}
            return of_masks[self.fit.masks] if self.fit.radiomics else None
        recipe = self.survival_recipe
        return "predicted" if recipe is not None and recipe.covariate_use.radiomics else None

    @property
    def selects_features(self) -> bool:
        """True if it selects radiomics features, so that the limit on their number applies."""
        if self.fit is not None:
            return self.fit.radiomics and not self.fit.all_features
        return self.radiomics is not None

    @property
    def needs_other_folds(self) -> bool:
        """True if a fold also needs the network and the masks of the other folds."""
        return self.fit is not None and self.fit.deep_risks == "out_of_fold"

    @property
    def measures_tumour(self) -> bool:
        """True if it is measured on the tumour's mask and the PET."""
        return self.fit is not None and self.fit.own_column is not None

    @property
    def chooses_masks(self) -> bool:
        """True for a statistical method that fixes its masks, whatever masks the user chose for the others."""
        return self.radiomics == "groundtruth" or self.needs_other_folds

    @property
    def is_baseline(self) -> bool:
        """True if it is a row of every table."""
        return len(self.tables) > 1
