"""The table of radiomics that a fold's training looks for."""

from pathlib import Path

import pandas as pd

from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.covariates.number_table import read_number_table
from nnunetv2_adamss.survival.tumour_region.stage_one_model import StageOneModel


def radiomics_file(stage_one: StageOneModel, config: SurvivalConfig) -> Path:
    """Where the features of a fold lie: beside its Stage-I network, by where the masks come from."""
    is_predicted = config.mask_source in ("predicted", "out_of_fold")
    suffix = "_without_mirroring" if is_predicted and not config.mirroring else ""
    return stage_one.fold_folder / f"radiomics_{config.mask_source}{suffix}.csv"


def read_radiomics(stage_one: StageOneModel, config: SurvivalConfig) -> pd.DataFrame:
    """The features, one row a case, indexed by ``case_id``.

    Raises:
        ValueError: if there is no Stage-I checkpoint or no table, saying how to get it, or if it holds something else
            than numbers.
    """
    stage_one.check_exists()
    file = radiomics_file(stage_one, config)
    if not file.is_file():
        raise ValueError(
            f"There are no radiomics of this fold: there is no {file}. Extract them with adamss_extract_radiomics, as "
            "adamss_finetune_survival does by itself, or train without them: --no_radiomics, which is "
            "-tr AdaMSSSurvTrainer_NoRadiomics."
        )
    return read_number_table(file)
