"""A survival training that is ready to start: everything read and checked, nothing written."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from nnunetv2_adamss.survival.cohort.table import SURVIVAL_CSV, SurvivalTable, read_survival_table
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.covariates import read_covariates
from nnunetv2_adamss.survival.files import sha256_of
from nnunetv2_adamss.survival.fold import SurvivalFold
from nnunetv2_adamss.survival.nnunet_dataset import RAW, dataset_folder
from nnunetv2_adamss.survival.nnunet_fold import FoldSplit, NnunetFold
from nnunetv2_adamss.survival.tumour_region.mask_source import MaskSource, choose_masks
from nnunetv2_adamss.survival.tumour_region.stage_one_model import StageOneModel


@dataclass(frozen=True, eq=False)
class SurvivalSetup:
    """What a survival training works with.

    Args:
        fold: cases, settings and what was fitted.
        table: outcomes.
        covariates: one row of numbers a case.
        stage_one: the network that is fine-tuned.
        masks: where the tumours are.
    """

    fold: SurvivalFold
    table: SurvivalTable
    covariates: pd.DataFrame | None = field(repr=False)
    stage_one: StageOneModel
    masks: MaskSource

    @classmethod
    def begin(cls, nnunet_fold: NnunetFold, config: SurvivalConfig, split: FoldSplit) -> "SurvivalSetup":
        """Of a new training.

        Raises:
            ValueError: if table, split, covariates, masks or Stage-I checkpoint do not serve.
        """
        table, covariates = _read_table(nnunet_fold, config), _read_covariates(config)
        fold = SurvivalFold.prepare(config, table, split, covariates)
        setup = cls._assemble(nnunet_fold, fold, table, covariates)
        setup.stage_one.weights()
        sources = {**_sources(setup), "Stage-I weights": sha256_of(setup.stage_one.checkpoint)}
        return replace(setup, fold=replace(fold, sources=sources))

    @classmethod
    def resume(cls, nnunet_fold: NnunetFold, fold: SurvivalFold, split: FoldSplit) -> "SurvivalSetup":
        """Of a training that has a checkpoint.

        Raises:
            ValueError: if what it was started with is gone or has changed.
        """
        table, covariates = _read_table(nnunet_fold, fold.config), _read_covariates(fold.config)
        setup = cls._assemble(nnunet_fold, fold, table, covariates)
        fold.check_unchanged(split, _sources(setup))
        return setup

    @classmethod
    def _assemble(
        cls,
        nnunet_fold: NnunetFold,
        fold: SurvivalFold,
        table: SurvivalTable,
        covariates: pd.DataFrame | None,
    ) -> "SurvivalSetup":
        config = fold.config
        stage_one = StageOneModel(
            config.seg_trainer,
            nnunet_fold.plans,
            nnunet_fold.configuration,
            nnunet_fold.number,
            config.seg_checkpoint,
        )
        masks = choose_masks(
            config, stage_one, fold.all_cases, nnunet_fold.file_ending, nnunet_fold.preprocessed_folder
        )
        masks.check(fold.all_cases)
        return cls(fold, table, covariates, stage_one, masks)


def _sources(setup: SurvivalSetup) -> Mapping[str, str]:
    """Hashes of what the training goes on depending on, by a name for people."""
    sources = {f"outcomes ({setup.table.path.name})": sha256_of(setup.table.path)}
    covariates_csv = setup.fold.config.covariates_csv
    if covariates_csv is not None:
        sources[f"covariates ({Path(covariates_csv).name})"] = sha256_of(Path(covariates_csv))
    return sources | setup.masks.sources()


def _read_table(nnunet_fold: NnunetFold, config: SurvivalConfig) -> SurvivalTable:
    if config.survival_csv is not None:
        file = Path(config.survival_csv)
    else:
        file = dataset_folder(RAW, nnunet_fold.plans["dataset_name"]) / SURVIVAL_CSV
    return read_survival_table(file, nnunet_fold.case_ids())


def _read_covariates(config: SurvivalConfig) -> pd.DataFrame | None:
    return None if config.covariates_csv is None else read_covariates(Path(config.covariates_csv))
