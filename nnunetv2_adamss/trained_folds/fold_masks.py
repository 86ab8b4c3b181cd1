"""The tumour masks that a trained fold used, and the Stage-I model that it started from."""

from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.nnunet_data.nnunet_fold import NnunetFold
from nnunetv2_adamss.survival.tumour_region.mask_source import MaskSource, choose_masks
from nnunetv2_adamss.survival.tumour_region.stage_one_model import StageOneModel
from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation
from nnunetv2_adamss.trained_folds.trained_fold import TrainedFold


def masks_of(model: CrossValidation, fold: TrainedFold) -> MaskSource:
    """Return the tumour masks that a fold used for its cases."""
    nnunet_fold = NnunetFold(model.plans, model.dataset_json, model.configuration, fold.number)
    return choose_masks(
        *stage_one_of(model, fold),
        fold.predictions().case_ids,
        nnunet_fold.file_ending,
        nnunet_fold.preprocessed_folder,
    )


def stage_one_of(model: CrossValidation, fold: TrainedFold) -> tuple[SurvivalConfig, StageOneModel]:
    """Return the settings of a fold, and the Stage-I model that they name."""
    config = SurvivalConfig.from_dict(fold.summary["settings"])
    return config, StageOneModel(
        config.seg_trainer, model.plans, model.configuration, fold.number, config.seg_checkpoint
    )
