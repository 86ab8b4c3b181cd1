"""What nnU-Net's trainer search finds: names only, each imported from the package when asked for.

nnU-Net imports this file under its bare name and forgets it after every search, so nothing may be defined here: a
class that lives in the package is the same object after the next search, and can be pickled.
"""

from importlib import import_module
from typing import Any

_TRAINERS = {
    "AdaMSSSegTrainer": "nnunetv2_adamss.trainers.segmentation",
    "AdaMSSSegTrainer_ShortSchedule": "nnunetv2_adamss.trainers.segmentation_variants",
    "AdaMSSSurvTrainer": "nnunetv2_adamss.trainers.adamss_survival",
    "AdaMSSSurvTrainer_ShortSchedule": "nnunetv2_adamss.trainers.survival_variants",
    "AdaMSSSurvTrainer_NoRadiomics": "nnunetv2_adamss.trainers.survival_variants",
    "AdaMSSSurvTrainer_NoClinical": "nnunetv2_adamss.trainers.survival_variants",
    "AdaMSSSurvTrainer_ImageOnly": "nnunetv2_adamss.trainers.survival_variants",
    "AdaMSSSurvTrainer_ShortSchedule_NoRadiomics": "nnunetv2_adamss.trainers.survival_variants",
    "AdaMSSSurvTrainer_ShortSchedule_NoClinical": "nnunetv2_adamss.trainers.survival_variants",
    "AdaMSSSurvTrainer_ShortSchedule_ImageOnly": "nnunetv2_adamss.trainers.survival_variants",
    "AdaMSSSurvTrainer_SurvivalOnly": "nnunetv2_adamss.trainers.learning_strategies",
    "AdaMSSSurvTrainer_MultiTask": "nnunetv2_adamss.trainers.learning_strategies",
    "AdaMSSSurvTrainer_ShortSchedule_SurvivalOnly": "nnunetv2_adamss.trainers.learning_strategies",
    "AdaMSSSurvTrainer_ShortSchedule_MultiTask": "nnunetv2_adamss.trainers.learning_strategies",
    "AdaMSSSegTrainer_PETOnly": "nnunetv2_adamss.trainers.fusion_strategy_trainers",
    "AdaMSSSegTrainer_CTOnly": "nnunetv2_adamss.trainers.fusion_strategy_trainers",
    "AdaMSSSegTrainer_EarlyFusion": "nnunetv2_adamss.trainers.fusion_strategy_trainers",
    "AdaMSSSegTrainer_LateFusion": "nnunetv2_adamss.trainers.fusion_strategy_trainers",
    "AdaMSSSegTrainer_IntermediateFusion": "nnunetv2_adamss.trainers.fusion_strategy_trainers",
    "AdaMSSSegTrainer_ShortSchedule_PETOnly": "nnunetv2_adamss.trainers.fusion_strategy_trainers",
    "AdaMSSSegTrainer_ShortSchedule_CTOnly": "nnunetv2_adamss.trainers.fusion_strategy_trainers",
    "AdaMSSSegTrainer_ShortSchedule_EarlyFusion": "nnunetv2_adamss.trainers.fusion_strategy_trainers",
    "AdaMSSSegTrainer_ShortSchedule_LateFusion": "nnunetv2_adamss.trainers.fusion_strategy_trainers",
    "AdaMSSSegTrainer_ShortSchedule_IntermediateFusion": "nnunetv2_adamss.trainers.fusion_strategy_trainers",
    "AdaMSSSurvTrainer_PETOnly": "nnunetv2_adamss.trainers.fusion_strategy_trainers",
    "AdaMSSSurvTrainer_CTOnly": "nnunetv2_adamss.trainers.fusion_strategy_trainers",
    "AdaMSSSurvTrainer_EarlyFusion": "nnunetv2_adamss.trainers.fusion_strategy_trainers",
    "AdaMSSSurvTrainer_LateFusion": "nnunetv2_adamss.trainers.fusion_strategy_trainers",
    "AdaMSSSurvTrainer_IntermediateFusion": "nnunetv2_adamss.trainers.fusion_strategy_trainers",
    "AdaMSSSurvTrainer_ShortSchedule_PETOnly": "nnunetv2_adamss.trainers.fusion_strategy_trainers",
    "AdaMSSSurvTrainer_ShortSchedule_CTOnly": "nnunetv2_adamss.trainers.fusion_strategy_trainers",
    "AdaMSSSurvTrainer_ShortSchedule_EarlyFusion": "nnunetv2_adamss.trainers.fusion_strategy_trainers",
    "AdaMSSSurvTrainer_ShortSchedule_LateFusion": "nnunetv2_adamss.trainers.fusion_strategy_trainers",
    "AdaMSSSurvTrainer_ShortSchedule_IntermediateFusion": "nnunetv2_adamss.trainers.fusion_strategy_trainers",
    "MDSNProxyTrainer": "nnunetv2_adamss.trainers.comparison",
    "DeepMTSTrainer": "nnunetv2_adamss.trainers.comparison",
    "DeepMTLRTrainer": "nnunetv2_adamss.trainers.comparison",
    "TMSSTrainer": "nnunetv2_adamss.trainers.comparison",
    "MDSNProxyTrainer_ShortSchedule": "nnunetv2_adamss.trainers.comparison",
    "DeepMTSTrainer_ShortSchedule": "nnunetv2_adamss.trainers.comparison",
    "DeepMTLRTrainer_ShortSchedule": "nnunetv2_adamss.trainers.comparison",
    "TMSSTrainer_ShortSchedule": "nnunetv2_adamss.trainers.comparison",
}


def __getattr__(name: str) -> Any:
    if name not in _TRAINERS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_TRAINERS[name]), name)


def __dir__() -> list[str]:
    return sorted(_TRAINERS)
