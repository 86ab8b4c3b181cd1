"""The table of radiomics that a fold's training reads."""

from pathlib import Path
from typing import Any

import pandas as pd

from nnunetv2_adamss.common.json_object import read_object
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.covariates.covariate_model import CovariateModel
from nnunetv2_adamss.survival.covariates.number_table import read_number_table
from nnunetv2_adamss.survival.tumour_region.mask_source import MaskSource, mask_provenance
from nnunetv2_adamss.survival.tumour_region.stage_one_model import StageOneModel


def radiomics_file(stage_one: StageOneModel, config: SurvivalConfig) -> Path:
    """Path of the features of a fold: beside its Stage-I network, named by the source of the masks."""
    return stage_one.fold_folder / radiomics_name(config)


def radiomics_name(config: SurvivalConfig) -> str:
    """Name of the file of a fold's features."""
    words = ["radiomics", *([] if config.radiomics == "all" else [config.radiomics]), config.mask_source]
    if config.masks_dir is not None:
        # Folders of the same name would still share a file; its provenance distinguishes them.
        words.append(Path(config.masks_dir).name)
    if config.mask_source in ("predicted", "out_of_fold"):
        words += [] if config.mirroring else ["without_mirroring"]
        checkpoint = Path(config.seg_checkpoint).stem
        words += [] if checkpoint == "checkpoint_best" else [checkpoint]
    return f"{'_'.join(words)}.csv"


def provenance_file(table: Path) -> Path:
    """Path of a table's provenance, if it was extracted by this package."""
    return table.with_suffix(".json")


def check_made_from(masks: MaskSource, stage_one: StageOneModel, config: SurvivalConfig) -> None:
    """Raise ValueError if the features are known to be of other masks."""
    provenance = _provenance(stage_one, config)
    if provenance is not None and provenance["masks"] != mask_provenance(config, masks):
        raise ValueError(
            f"{radiomics_file(stage_one, config)} was made from other masks than this training's, or before Stage I "
            "was trained on. Run adamss_extract_radiomics, as adamss_finetune_survival does before a new training."
        )


def used_radiomics(
    stage_one: StageOneModel, config: SurvivalConfig, model: CovariateModel
) -> dict[str, Any] | None:
    """The request of the extraction and the features that a model uses; None if not extracted by this package."""
    provenance = _provenance(stage_one, config)
    if provenance is None:
        return None
    extracted = set(map(str, read_radiomics(stage_one, config)))
    used = [name for name in model.features.names if name in extracted]
    return {"request": provenance["request"], "features": used}


def _provenance(stage_one: StageOneModel, config: SurvivalConfig) -> dict[str, Any] | None:
    file = provenance_file(radiomics_file(stage_one, config))
    if not file.is_file():
        return None
    return read_object(file, masks=dict, request=dict)


def read_radiomics(stage_one: StageOneModel, config: SurvivalConfig) -> pd.DataFrame:
    """Read the features, one row a case, indexed by ``case_id``.

    Raises:
        ValueError: if there is no Stage-I checkpoint or no table, with how to get it, or if it holds something else
            than numbers.
    """
    stage_one.check_exists()
    file = radiomics_file(stage_one, config)
    if not file.is_file():
        raise ValueError(
            f"There are no radiomics of this fold: {file} does not exist. Extract them with adamss_extract_radiomics "
            f"--radiomics {config.radiomics}, as adamss_finetune_survival does before a new training, or train without "
            "them, such as with AdaMSSSurvTrainer_NoRadiomics."
        )
    return read_number_table(file)
