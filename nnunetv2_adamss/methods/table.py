"""The one table of methods: the rows of the paper's Tables I to III, in the paper's order, and the baselines.

A row describes its method completely: trainer, network, schedule and losses, or the statistical fit, and the paper's
results. Names of trainers are stored in users' checkpoints and never change; ``nnunetv2_adamss.trainers`` makes a class
of each. Plain data that imports nothing heavy, so that ``--help`` answers quickly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.methods.method import Method, Published, StatisticalFit, Trainer
from nnunetv2_adamss.methods.recipe import ONE_PASS, Recipe, Schedule, SurvivalRecipe
from nnunetv2_adamss.survival.covariates.covariate_use import CovariateUse

# ---------------------------------------------------------------------------------------------------------- recipes

NO_RADIOMICS = CovariateUse(radiomics=False)

STAGE_ONE = Recipe(schedule=Schedule(learning_rates=(1e-4, 5e-5, 1e-5)))
# Validated on many patches: with 16, an early epoch became checkpoint_best by chance.
SHORT_STAGE_ONE = replace(STAGE_ONE, mirrors_at_prediction=False).with_schedule(
    n_epochs=12, n_iterations=40, n_val_iterations=25, learning_rates=(1e-3, 5e-4, 1e-4)
)
# choice: Section 3.3 names L2 regularisation without its weight.
STAGE_TWO = SurvivalRecipe(
    schedule=Schedule(learning_rates=(5e-5, 1e-5, 1e-6)), l2_weight=0.1, starts_from_stage_one=True
)
SHORT_STAGE_TWO = STAGE_TWO.with_schedule(n_epochs=10, n_iterations=40, learning_rates=(5e-4, 1e-4, 1e-5))
# deviation: starts from a Cox model and keeps Stage I's statistics, so that the image features of a training crop are
# computed with those that the Cox model was fitted with (docs/anchored_model.md).
ANCHORED: Mapping[str, Any] = MappingProxyType(
    {"anchor": "image", "batch_norm": "frozen", "head_rate": 10.0, "baseline": "refitted"}
)
# The head learns as fast as in the other short schedules, encoder and decoder as published.
SHORT_ANCHORED = STAGE_TWO.with_schedule(n_epochs=10, n_iterations=40)

# choice: from random weights at Stage I's learning rates, since Stage II's are for fine-tuning; the paper names none.
FROM_RANDOM_WEIGHTS = replace(
    STAGE_TWO, starts_from_stage_one=False, covariate_use=NO_RADIOMICS
).with_schedule(learning_rates=(1e-4, 5e-5, 1e-5))
SHORT_FROM_RANDOM_WEIGHTS = FROM_RANDOM_WEIGHTS.with_schedule(
    n_epochs=10, n_iterations=40, learning_rates=(1e-3, 5e-4, 1e-4)
)

# Comparison methods have AdaMSS's regions, crops, augmentation and balanced batches, so that they differ in network,
# loss and schedule alone; covariates are the clinical indicators, as in the paper. docs/comparison_methods.md lists
# what comes from the publications.
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


def _trainer(
    names: tuple[str, str], summary: str, recipe: Recipe, short_recipe: Recipe, **changes: Any
) -> Trainer:
    """Make a trainer of these recipes, both with the same changes."""
    return Trainer(*names, summary, replace(recipe, **changes), replace(short_recipe, **changes))


SEGMENTATION = _trainer(
    ("AdaMSSSegTrainer", "AdaMSSSegTrainer_ShortSchedule"),
    "Stage I: Dice plus Focal loss, Adam, no deep supervision.", STAGE_ONE, SHORT_STAGE_ONE,
)  # fmt: skip
# Radio-DeepMTS starts from it too.
DEEPMTS_TRAINER = _trainer(
    ("DeepMTSTrainer", "DeepMTSTrainer_ShortSchedule"), "DeepMTS: negative Dice plus Cox's partial likelihood.",
    DEEPMTS, DEEPMTS.with_schedule(**SHORT_COX),
)  # fmt: skip
# In all three tables.
ADAMSS_NO_RADIOMICS = _trainer(
    ("AdaMSSSurvTrainer_NoRadiomics", "AdaMSSSurvTrainer_ShortSchedule_NoRadiomics"),
    "Stage II without radiomics features.", STAGE_TWO, SHORT_STAGE_TWO, covariate_use=NO_RADIOMICS,
)  # fmt: skip


# ------------------------------------------------------------------------------------------------------------- rows


def _row(
    name: str,
    title: str,
    table: int,
    c_index: tuple[float, float] | None,
    dice: tuple[float, float] | None = None,
    **content: Any,
) -> Method:
    """Make a row of one table, with the paper's results for OPC and NPC."""
    published = Published(c_index, dice)
    return Method(
        name=name, title=title, tables=(table,), published=published, **{"stage_one": SEGMENTATION} | content
    )


def _baseline(name: str, title: str, fit: StatisticalFit) -> Method:
    """Make a row of every table."""
    return Method(name=name, title=title, tables=(1, 2, 3), stage_one=SEGMENTATION, fit=fit)


def _fusion(
    name: str,
    title: str,
    c_index: tuple[float, float],
    dice: tuple[float, float],
    how: str,
    *,
    stage_one: tuple[str, str],
    stage_two: tuple[str, str],
    **changes: Any,
) -> Method:
    """Make a fusion strategy: its own Stage I, and the Stage II that starts from it; no radiomics (Section 4.4)."""
    after = [
        replace(recipe, covariate_use=NO_RADIOMICS, default_settings=MappingProxyType({"seg_trainer": seg}))
        for recipe, seg in zip((STAGE_TWO, SHORT_STAGE_TWO), stage_one, strict=True)
    ]
    return _row(
        name, title, 3, c_index, dice,
        stage_one=_trainer(stage_one, f"Stage I {how}.", STAGE_ONE, SHORT_STAGE_ONE, **changes),
        trainer=_trainer(stage_two, f"Stage II {how}.", *after, **changes),
    )  # fmt: skip


def _anchored(names: tuple[str, str], summary: str, *, clinical: bool = True, **settings: Any) -> Trainer:
    """Make a trainer whose network starts from a Cox model, and adds to it."""
    return _trainer(
        names, summary, STAGE_TWO, SHORT_ANCHORED,
        covariate_use=CovariateUse(clinical=clinical),
        default_settings=MappingProxyType({**ANCHORED, **settings}),
    )  # fmt: skip


_OWN_DICE = (0.775, 0.796)

METHODS: tuple[Method, ...] = (
    _row(
        "lasso_cox", "Lasso-CoxPH", 1, (0.745, 0.671),
        fit=StatisticalFit(
            folder="LassoCoxPH", risk="ridge_cox", masks="reference",
            summary="radiomics of the reference masks and clinical indicators",
            # choice: one rule for the number of features of all methods; the publications put no limit on the LASSO.
            settings={"feature_selection": "lasso"},
        ),
    ),
    _row(
        "icare", "ICARE", 1, (0.765, 0.688),
        fit=StatisticalFit(
            folder="ICARE", risk="icare", masks="reference", all_features=True,
            summary="the same, by an ensemble of binary-weighted models",
            # No feature is selected beforehand: the method itself chooses.
            settings={"feature_selection": "lasso", "max_features": 0, "clinical_selection": "none"},
        ),
    ),
    _row(
        "mdsn_proxy", "MDSN (proxy)", 1, (0.746, 0.676),
        trainer=_trainer(("MDSNProxyTrainer", "MDSNProxyTrainer_ShortSchedule"), "A stand-in for MDSN.",
                         MDSN_PROXY, MDSN_PROXY.with_schedule(**SHORT_COX)),
    ),
    _row(
        "deepmtlr_cox", "DeepMTLR-CoxPH", 1, (0.748, 0.684),
        trainer=_trainer(("DeepMTLRTrainer", "DeepMTLRTrainer_ShortSchedule"), "The network of DeepMTLR-CoxPH.",
                         DEEPMTLR, DEEPMTLR.with_schedule(**SHORT_COMPARISON)),
        fit=StatisticalFit(
            folder="DeepMTLRCoxPH", risk="mean_of_risks", radiomics=False, deep_risks="in_sample",
            summary="mean of DeepMTLRTrainer's risk and a clinical Cox model",
        ),
    ),
    _row(
        "tmss", "TMSS", 1, (0.761, 0.689), (0.754, 0.779),
        trainer=_trainer(("TMSSTrainer", "TMSSTrainer_ShortSchedule"),
                         "TMSS: 0.7 of multi-task logistic regression and 0.3 of Dice plus Focal.",
                         TMSS, TMSS.with_schedule(**SHORT_COMPARISON)),
    ),
    _row("deepmts", "DeepMTS", 1, (0.757, 0.695), (0.735, 0.765), trainer=DEEPMTS_TRAINER),
    _row(
        "radio_deepmts", "Radio-DeepMTS", 1, (0.776, 0.717), (0.735, 0.765), trainer=DEEPMTS_TRAINER,
        fit=StatisticalFit(
            folder="RadioDeepMTS", risk="deep_cox", masks="deep", deep_risks="out_of_fold",
            summary="Cox on DeepMTSTrainer's score, radiomics of its masks and clinical data; needs all its folds",
        ),
    ),
    _row(
        "adamss", "AdaMSS", 1, (0.804, 0.757), _OWN_DICE,
        trainer=_trainer(("AdaMSSSurvTrainer", "AdaMSSSurvTrainer_ShortSchedule"),
                         "Stage II: Stage I's encoder and decoder, a new head, Eq. (1).", STAGE_TWO, SHORT_STAGE_TWO),
    ),
    # Not in the paper.
    Method(
        name="adamss_anchored", title="AdaMSS, anchored", tables=(1,), stage_one=SEGMENTATION,
        trainer=_anchored(("AdaMSSSurvTrainer_Anchored", "AdaMSSSurvTrainer_ShortSchedule_Anchored"),
                          "Stage II from a Cox model on covariates and image features, to which it adds."),
    ),
    _row("adamss_no_radiomics", "AdaMSS (No-radio)", 1, (0.780, 0.728), _OWN_DICE, trainer=ADAMSS_NO_RADIOMICS),
    _row(
        "adamss_no_clinical", "AdaMSS (No-clinic)", 1, (0.795, 0.749), _OWN_DICE,
        trainer=_trainer(("AdaMSSSurvTrainer_NoClinical", "AdaMSSSurvTrainer_ShortSchedule_NoClinical"),
                         "Stage II without clinical indicators.", STAGE_TWO, SHORT_STAGE_TWO,
                         covariate_use=CovariateUse(clinical=False)),
    ),
    _row(
        "adamss_image_only", "AdaMSS (No-both)", 1, (0.772, 0.722), _OWN_DICE,
        trainer=_trainer(("AdaMSSSurvTrainer_ImageOnly", "AdaMSSSurvTrainer_ShortSchedule_ImageOnly"),
                         "Stage II without radiomics features and clinical indicators.", STAGE_TWO, SHORT_STAGE_TWO,
                         covariate_use=CovariateUse(radiomics=False, clinical=False)),
    ),
    # Table II, without radiomics, as in the paper's ablation studies (Section 4.4).
    _row("segmentation_only", "STL, segmentation only", 2, None, _OWN_DICE),
    _row(
        "survival_only", "STL, survival only", 2, (0.754, 0.692),
        trainer=_trainer(("AdaMSSSurvTrainer_SurvivalOnly", "AdaMSSSurvTrainer_ShortSchedule_SurvivalOnly"),
                         "Survival without segmentation: the same network and crops, from random weights.",
                         FROM_RANDOM_WEIGHTS, SHORT_FROM_RANDOM_WEIGHTS),
    ),
    # choice: the plain sum of both losses; the paper gives no weights. The tumour is the union of all labels.
    _row(
        "multi_task", "MTL", 2, (0.765, 0.706), (0.770, 0.789),
        trainer=_trainer(("AdaMSSSurvTrainer_MultiTask", "AdaMSSSurvTrainer_ShortSchedule_MultiTask"),
                         "Segmentation and survival in one training (multi-task learning), from random weights.",
                         FROM_RANDOM_WEIGHTS, SHORT_FROM_RANDOM_WEIGHTS,
                         network="adamss_multi_task", segmentation_loss="dice_focal"),
    ),
    _row("two_stage", "SSL", 2, (0.780, 0.728), _OWN_DICE, trainer=ADAMSS_NO_RADIOMICS),
    # Table III, without radiomics too.
    _fusion(
        "pet_only", "Only PET", (0.768, 0.707), (0.723, 0.756), "on PET alone",
        stage_one=("AdaMSSSegTrainer_PETOnly", "AdaMSSSegTrainer_ShortSchedule_PETOnly"),
        stage_two=("AdaMSSSurvTrainer_PETOnly", "AdaMSSSurvTrainer_ShortSchedule_PETOnly"),
        network="adamss_pet_only", modality="PET",
    ),
    _fusion(
        "ct_only", "Only CT", (0.644, 0.574), (0.645, 0.688), "on CT alone",
        stage_one=("AdaMSSSegTrainer_CTOnly", "AdaMSSSegTrainer_ShortSchedule_CTOnly"),
        stage_two=("AdaMSSSurvTrainer_CTOnly", "AdaMSSSurvTrainer_ShortSchedule_CTOnly"),
        network="adamss_ct_only", modality="CT",
    ),
    _fusion(
        "early_fusion", "Early fusion", (0.758, 0.697), (0.750, 0.772), "on the modalities as channels of one image",
        stage_one=("AdaMSSSegTrainer_EarlyFusion", "AdaMSSSegTrainer_ShortSchedule_EarlyFusion"),
        stage_two=("AdaMSSSurvTrainer_EarlyFusion", "AdaMSSSurvTrainer_ShortSchedule_EarlyFusion"),
        network="adamss_early_fusion",
    ),
    _fusion(
        "late_fusion", "Late fusion", (0.765, 0.705), (0.759, 0.780), "with modalities that meet in the decoder",
        stage_one=("AdaMSSSegTrainer_LateFusion", "AdaMSSSegTrainer_ShortSchedule_LateFusion"),
        stage_two=("AdaMSSSurvTrainer_LateFusion", "AdaMSSSurvTrainer_ShortSchedule_LateFusion"),
        network="adamss_late_fusion",
    ),
    _fusion(
        "intermediate_fusion", "Intermediate fusion", (0.770, 0.713), (0.764, 0.786), "with sums in the place of gates",
        stage_one=("AdaMSSSegTrainer_IntermediateFusion", "AdaMSSSegTrainer_ShortSchedule_IntermediateFusion"),
        stage_two=("AdaMSSSurvTrainer_IntermediateFusion", "AdaMSSSurvTrainer_ShortSchedule_IntermediateFusion"),
        network="adamss_intermediate_fusion",
    ),
    _row("data_driven", "Data-driven fusion", 3, (0.780, 0.728), _OWN_DICE, trainer=ADAMSS_NO_RADIOMICS),
    _baseline("covariates_cox", "Cox model on the covariates", StatisticalFit(
        folder="CovariatesCox", risk="ridge_cox", summary="what AdaMSS gets beside the image",
    )),
    _baseline("tumour_volume", "Tumour volume", StatisticalFit(
        folder="TumourVolume", risk="own_column", summary="the larger, the riskier",
        radiomics=False, clinical=False, own_column="tumour_volume_ml",
    )),
    _baseline("suv_max", "SUVmax", StatisticalFit(
        folder="SUVmax", risk="own_column", summary="the hotter, the riskier",
        radiomics=False, clinical=False, own_column="suv_max",
    )),
)  # fmt: skip

# --------------------------------------------------------------------------------------------------- look-up

TABLES = {
    1: "Table I: AdaMSS and other methods",
    2: "Table II: learning strategies",
    3: "Table III: fusion strategies",
}
# The row that the others of a table are compared with.
REFERENCES = {1: "adamss", 2: "two_stage", 3: "data_driven"}

STATISTICAL: Mapping[str, Method] = MappingProxyType({m.name: m for m in METHODS if m.fit is not None})
# The same by the name of their results, which takes the place of a trainer's (-tr).
STATISTICAL_BY_RESULTS: Mapping[str, Method] = MappingProxyType(
    {m.statistical_fit.folder: m for m in STATISTICAL.values()}
)
# Of no row: what --no_radiomics and --no_clinical make of the anchored trainer. First-order statistics of the
# tumour, which take a fraction of a second, stand in for radiomics.
ANCHORED_VARIANTS = (
    _anchored(
        ("AdaMSSSurvTrainer_Anchored_NoRadiomics", "AdaMSSSurvTrainer_ShortSchedule_Anchored_NoRadiomics"),
        "As anchored, with first-order statistics of the tumour instead of radiomics.", radiomics="first_order",
    ),
    _anchored(
        ("AdaMSSSurvTrainer_Anchored_NoClinical", "AdaMSSSurvTrainer_ShortSchedule_Anchored_NoClinical"),
        "As anchored, without clinical indicators.", clinical=False,
    ),
    _anchored(
        ("AdaMSSSurvTrainer_Anchored_ImageOnly", "AdaMSSSurvTrainer_ShortSchedule_Anchored_ImageOnly"),
        "As anchored, with first-order statistics of the tumour as its only covariates.",
        clinical=False, radiomics="first_order",
    ),
)  # fmt: skip
TRAINERS: tuple[Trainer, ...] = tuple(
    {
        t.name: t
        for t in (*(t for m in METHODS for t in (m.stage_one, m.trainer)), *ANCHORED_VARIANTS)
        if t is not None
    }.values()
)
RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {one.name: one.recipe for one in TRAINERS} | {one.short_name: one.short_recipe for one in TRAINERS}
)
SUMMARIES: Mapping[str, str] = MappingProxyType(
    {one.name: one.summary for one in TRAINERS}
    | {one.short_name: f"{one.summary} Its short schedule." for one in TRAINERS}
)
GROUPS = {
    "all": METHODS,
    **{f"table{number}": tuple(m for m in METHODS if number in m.tables) for number in TABLES},
    "statistical": tuple(method for method in METHODS if method.fit and not method.trainer),
}


def choose_methods(names: Sequence[str]) -> tuple[Method, ...]:
    """Return the methods of these names and groups, and the baselines; in the paper's order.

    Raises:
        ValueError: naming methods that do not exist.
    """
    by_name = {method.name: (method,) for method in METHODS} | GROUPS
    unknown = [name for name in names if name not in by_name]
    if unknown:
        raise ValueError(f"There is no method {listed(unknown)}, only {', '.join(by_name)}.")
    chosen = {method.name for name in names for method in by_name[name]}
    return tuple(method for method in METHODS if method.name in chosen or method.is_baseline)


def method_name(name: str) -> str:
    """Return the name of the method whose results have this name (``-tr``), the first of several; or else the name."""
    return next((method.name for method in METHODS if method.results == name), name)


def check_results_name(name: str) -> None:
    """Raise ValueError unless a statistical method's results can have this name."""
    known = STATISTICAL_BY_RESULTS
    if name in known or any(row.trainer and name.startswith(folder) for folder, row in known.items()):
        return
    raise ValueError(f"There is no statistical method {name} (-tr), only {listed(list(known))}.")


def results_name(method: str, deep_trainer: str | None) -> str:
    """Return the name of a method's results, which takes the place of a trainer's.

    Args:
        method: name, of ``STATISTICAL``.
        deep_trainer: the network that it starts from, or a variant of it such as its short schedule, whose results have
            another name; None for none.

    Raises:
        ValueError: if it is neither.
    """
    row = STATISTICAL[method]
    folder = row.statistical_fit.folder
    if deep_trainer is None:
        return folder
    if row.trainer is None or not deep_trainer.startswith(row.trainer.name):
        own = f"{row.trainer.name} or a variant of it" if row.trainer else "no network"
        raise ValueError(f"{row.title} starts from {own}, not from {deep_trainer}.")
    return folder + deep_trainer.removeprefix(row.trainer.name)
