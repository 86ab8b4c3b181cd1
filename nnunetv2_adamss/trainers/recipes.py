"""The one table of all trainers that users name, in the order of the paper's tables.

The names stand in users' checkpoints and never change. ``nnunetv2_adamss.trainers`` makes a class of each.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from nnunetv2_adamss.survival.covariates.covariate_use import CovariateUse
from nnunetv2_adamss.trainers.recipe import ONE_PASS, Recipe, Schedule, SurvivalRecipe


@dataclass(frozen=True)
class TrainerRow:
    """A trainer and its short schedule: minutes instead of hours, for trying things out on small data.

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


NO_RADIOMICS = CovariateUse(radiomics=False)

STAGE_ONE = Recipe(schedule=Schedule(learning_rates=(1e-4, 5e-5, 1e-5)))
# Validated on many patches: with 16, chance has been seen to pick an early epoch for checkpoint_best.
SHORT_STAGE_ONE = replace(STAGE_ONE, mirrors_at_prediction=False).with_schedule(
    n_epochs=12, n_iterations=40, n_val_iterations=25, learning_rates=(1e-3, 5e-4, 1e-4)
)
# choice: Section 3.3 names L2 regularisation without its weight.
STAGE_TWO = SurvivalRecipe(
    schedule=Schedule(learning_rates=(5e-5, 1e-5, 1e-6)), l2_weight=0.1, starts_from_stage_one=True
)
SHORT_STAGE_TWO = STAGE_TWO.with_schedule(n_epochs=10, n_iterations=40, learning_rates=(5e-4, 1e-4, 1e-5))

# choice: from random weights at Stage I's learning rates, since Stage II's are for fine-tuning; the paper names none.
FROM_RANDOM_WEIGHTS = replace(
    STAGE_TWO, starts_from_stage_one=False, covariate_use=NO_RADIOMICS
).with_schedule(learning_rates=(1e-4, 5e-5, 1e-5))
SHORT_FROM_RANDOM_WEIGHTS = FROM_RANDOM_WEIGHTS.with_schedule(
    n_epochs=10, n_iterations=40, learning_rates=(1e-3, 5e-4, 1e-4)
)

# Comparison methods have AdaMSS's regions, crops, augmentation and balanced batches, so that they differ in network,
# loss and schedule alone; covariates are the clinical indicators, as in the paper. docs/comparison_methods.md says
# what comes from the publications.
#
# 10,000 iterations; the publication's last drop, to 1e-6, is at their end.
DEEPMTS = SurvivalRecipe(
    network="deepmts", objective="cox", l2_weight=0.1, segmentation_loss="dice", covariate_use=NO_RADIOMICS,
    schedule=Schedule(learning_rates=(1e-4, 5e-5, 1e-5), drops_at=(50 / 200, 100 / 200), n_epochs=200,
                      n_iterations=50, batch_size=8),
)  # fmt: skip
# choice: DeepMTS's schedule, since MDSN's own is not known.
MDSN_PROXY = replace(DEEPMTS, network="mdsn_proxy", segmentation_loss=None)
# The publication's second drop, at epoch 150, is after its 100 epochs. The other half of DeepMTLR-CoxPH z-scores risks
# on the training cases.
DEEPMTLR = SurvivalRecipe(
    network="deepmtlr", objective="mtlr", l2_weight=1 / 2, covariate_use=NO_RADIOMICS,
    default_settings=MappingProxyType({"n_intervals": 14, "interval_rule": "event_quantile"}),
    predicts_training_cases=True,
    schedule=Schedule(learning_rates=(1.6e-2, 1.6e-3), drops_at=(50 / 100,), n_epochs=100,
                      n_iterations=ONE_PASS, weight_decay=1e-5, batch_size=16),
)  # fmt: skip
# choice: 100 epochs, which is not published.
TMSS = SurvivalRecipe(
    network="tmss", objective="mtlr", l2_weight=0.7 * 100 / 2, covariate_use=NO_RADIOMICS,
    segmentation_loss="dice_focal", survival_weight=0.7, segmentation_weight=0.3,
    default_settings=MappingProxyType({**DEEPMTLR.default_settings, "pool": "crops"}),
    needs_crops="the positions that TMSS learns are those of a training crop",
    schedule=Schedule(learning_rates=(4e-3, 4e-4), drops_at=(50 / 100,), n_epochs=100,
                      n_iterations=ONE_PASS, optimizer="AdamW", weight_decay=1e-2, batch_size=16),
)  # fmt: skip
SHORT_COMPARISON: Mapping[str, Any] = {"n_epochs": 10, "n_iterations": 40, "batch_size": 4}
SHORT_COX: Mapping[str, Any] = {**SHORT_COMPARISON, "learning_rates": (1e-3, 5e-4, 1e-4)}


def _row(
    names: tuple[str, str], summary: str, recipe: Recipe, short_recipe: Recipe, **changes: Any
) -> TrainerRow:
    """A row of these recipes, both with the same changes."""
    return TrainerRow(*names, summary, replace(recipe, **changes), replace(short_recipe, **changes))


def _fusion(
    stage_one: tuple[str, str], stage_two: tuple[str, str], how: str, **changes: Any
) -> tuple[TrainerRow, TrainerRow]:
    """Stage I of a fusion strategy and the Stage II that starts from it, without radiomics."""
    after = [
        replace(recipe, covariate_use=NO_RADIOMICS, default_settings=MappingProxyType({"seg_trainer": name}))
        for recipe, name in zip((STAGE_TWO, SHORT_STAGE_TWO), stage_one, strict=True)
    ]
    return (
        _row(stage_one, f"Stage I {how}.", STAGE_ONE, SHORT_STAGE_ONE, **changes),
        _row(stage_two, f"Stage II {how}.", *after, **changes),
    )


TRAINERS: tuple[TrainerRow, ...] = (
    # Stage I of all methods but the fusion strategies; Table II: segmentation only.
    _row(("AdaMSSSegTrainer", "AdaMSSSegTrainer_ShortSchedule"),
         "Stage I: Dice plus Focal loss, Adam, no deep supervision.", STAGE_ONE, SHORT_STAGE_ONE),
    # Table I.
    _row(("MDSNProxyTrainer", "MDSNProxyTrainer_ShortSchedule"), "A stand-in for MDSN.",
         MDSN_PROXY, MDSN_PROXY.with_schedule(**SHORT_COX)),
    _row(("DeepMTLRTrainer", "DeepMTLRTrainer_ShortSchedule"), "The network of DeepMTLR-CoxPH.",
         DEEPMTLR, DEEPMTLR.with_schedule(**SHORT_COMPARISON)),
    _row(("TMSSTrainer", "TMSSTrainer_ShortSchedule"),
         "TMSS: 0.7 of multi-task logistic regression and 0.3 of Dice plus Focal.",
         TMSS, TMSS.with_schedule(**SHORT_COMPARISON)),
    _row(("DeepMTSTrainer", "DeepMTSTrainer_ShortSchedule"),
         "DeepMTS: negative Dice plus Cox's partial likelihood.",
         DEEPMTS, DEEPMTS.with_schedule(**SHORT_COX)),
    _row(("AdaMSSSurvTrainer", "AdaMSSSurvTrainer_ShortSchedule"),
         "Stage II: Stage I's encoder and decoder, a new head, Eq. (1).", STAGE_TWO, SHORT_STAGE_TWO),
    # Also Table II: two stages, and Table III: data-driven fusion.
    _row(("AdaMSSSurvTrainer_NoRadiomics", "AdaMSSSurvTrainer_ShortSchedule_NoRadiomics"),
         "Stage II without radiomics features.", STAGE_TWO, SHORT_STAGE_TWO, covariate_use=NO_RADIOMICS),
    _row(("AdaMSSSurvTrainer_NoClinical", "AdaMSSSurvTrainer_ShortSchedule_NoClinical"),
         "Stage II without clinical indicators.", STAGE_TWO, SHORT_STAGE_TWO,
         covariate_use=CovariateUse(clinical=False)),
    _row(("AdaMSSSurvTrainer_ImageOnly", "AdaMSSSurvTrainer_ShortSchedule_ImageOnly"),
         "Stage II without radiomics features and clinical indicators.", STAGE_TWO, SHORT_STAGE_TWO,
         covariate_use=CovariateUse(radiomics=False, clinical=False)),
    # Table II, without radiomics, as in the paper's ablation studies (Section 4.4).
    _row(("AdaMSSSurvTrainer_SurvivalOnly", "AdaMSSSurvTrainer_ShortSchedule_SurvivalOnly"),
         "Survival without segmentation: the same network and crops, from random weights.",
         FROM_RANDOM_WEIGHTS, SHORT_FROM_RANDOM_WEIGHTS),
    # choice: the plain sum of both losses; the paper gives no weights. The tumour is the union of all labels.
    _row(("AdaMSSSurvTrainer_MultiTask", "AdaMSSSurvTrainer_ShortSchedule_MultiTask"),
         "Segmentation and survival in one training (multi-task learning), from random weights.",
         FROM_RANDOM_WEIGHTS, SHORT_FROM_RANDOM_WEIGHTS,
         network="adamss_multi_task", segmentation_loss="dice_focal"),
    # Table III, without radiomics too.
    *_fusion(("AdaMSSSegTrainer_PETOnly", "AdaMSSSegTrainer_ShortSchedule_PETOnly"),
             ("AdaMSSSurvTrainer_PETOnly", "AdaMSSSurvTrainer_ShortSchedule_PETOnly"),
             "on PET alone", network="adamss_pet_only", modality="PET"),
    *_fusion(("AdaMSSSegTrainer_CTOnly", "AdaMSSSegTrainer_ShortSchedule_CTOnly"),
             ("AdaMSSSurvTrainer_CTOnly", "AdaMSSSurvTrainer_ShortSchedule_CTOnly"),
             "on CT alone", network="adamss_ct_only", modality="CT"),
    *_fusion(("AdaMSSSegTrainer_EarlyFusion", "AdaMSSSegTrainer_ShortSchedule_EarlyFusion"),
             ("AdaMSSSurvTrainer_EarlyFusion", "AdaMSSSurvTrainer_ShortSchedule_EarlyFusion"),
             "on the modalities as channels of one image", network="adamss_early_fusion"),
    *_fusion(("AdaMSSSegTrainer_LateFusion", "AdaMSSSegTrainer_ShortSchedule_LateFusion"),
             ("AdaMSSSurvTrainer_LateFusion", "AdaMSSSurvTrainer_ShortSchedule_LateFusion"),
             "with modalities that meet in the decoder", network="adamss_late_fusion"),
    *_fusion(("AdaMSSSegTrainer_IntermediateFusion", "AdaMSSSegTrainer_ShortSchedule_IntermediateFusion"),
             ("AdaMSSSurvTrainer_IntermediateFusion", "AdaMSSSurvTrainer_ShortSchedule_IntermediateFusion"),
             "with sums in the place of gates", network="adamss_intermediate_fusion"),
)  # fmt: skip

RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {row.name: row.recipe for row in TRAINERS} | {row.short_name: row.short_recipe for row in TRAINERS}
)
SUMMARIES: Mapping[str, str] = MappingProxyType(
    {row.name: row.summary for row in TRAINERS}
    | {row.short_name: f"{row.summary} Its short schedule." for row in TRAINERS}
)
