"""A survival training that is ready to start: everything read and checked, nothing written."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from nnunetv2_adamss.common.files import sha256_of
from nnunetv2_adamss.networks.registry import ADAMSS
from nnunetv2_adamss.survival.cohort.outcome_files import outcome_files
from nnunetv2_adamss.survival.cohort.outcomes_path import default_outcomes
from nnunetv2_adamss.survival.cohort.survival_table import SurvivalTable, read_survival_table
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.covariates.covariate_tables import CovariateTables, CovariateUse
from nnunetv2_adamss.survival.covariates.number_table import read_number_table
from nnunetv2_adamss.survival.covariates.radiomics_table import (
    check_made_from,
    radiomics_file,
    read_radiomics,
    used_radiomics,
)
from nnunetv2_adamss.survival.fold import SurvivalFold
from nnunetv2_adamss.survival.nnunet_data.nnunet_fold import FoldSplit, NnunetFold
from nnunetv2_adamss.survival.tumour_region.mask_source import MaskSource, choose_masks
from nnunetv2_adamss.survival.tumour_region.stage_one_model import StageOneModel

# Among the sources of a training: the checkpoint that it started from.
STAGE_ONE_WEIGHTS = "Stage-I weights"


@dataclass(frozen=True, eq=False)
class SurvivalSetup:
    """Everything that a survival training needs to start.

    Args:
        fold: cases, settings and fits.
        table: outcomes.
        covariates: clinical columns and features, one row a case.
        stage_one: the network that is fine-tuned.
        masks: the source of the tumour masks.
    """

    fold: SurvivalFold
    table: SurvivalTable
    covariates: CovariateTables = field(repr=False)
    stage_one: StageOneModel
    masks: MaskSource

    @classmethod
    def begin(
        cls,
        nnunet_fold: NnunetFold,
        config: SurvivalConfig,
        split: FoldSplit,
        use: CovariateUse,
        *,
        network: str = ADAMSS,
    ) -> "SurvivalSetup":
        """Read, check and fit everything for a new training.

        Args:
            nnunet_fold: plan, configuration and fold.
            config: the settings.
            split: nnU-Net's.
            use: the covariates that the network gets.
            network: name of the survival network.

        Raises:
            ValueError: if table, split, covariates, masks or Stage-I checkpoint cannot be used.
        """
        table = _read_table(nnunet_fold, config)
        covariates = _read_covariates(nnunet_fold, config, table, use, use.radiomics)
        fold = SurvivalFold.prepare(config, table, split, covariates)
        setup = cls._assemble(nnunet_fold, fold, table, covariates)
        setup.stage_one.weights()
        return replace(setup, fold=replace(fold, **setup.origin(), network=network))

    @classmethod
    def before_fitting(
        cls, nnunet_fold: NnunetFold, config: SurvivalConfig, split: FoldSplit, use: CovariateUse
    ) -> "SurvivalSetup":
        """Prepare a new training whose radiomics may be missing: check all else, and fit no covariate.

        Raises:
            ValueError: as from :meth:`begin`.
        """
        table = _read_table(nnunet_fold, config)
        covariates = _read_covariates(nnunet_fold, config, table, use, has_radiomics=False)
        fold = SurvivalFold.before_fitting(config, table, split, covariates)
        setup = cls._assemble(nnunet_fold, fold, table, covariates)
        setup.stage_one.weights()
        return setup

    @classmethod
    def resume(
        cls, nnunet_fold: NnunetFold, fold: SurvivalFold, split: FoldSplit, use: CovariateUse
    ) -> "SurvivalSetup":
        """Restore a training from the fold in a checkpoint or in the record of its preparation.

        Raises:
            ValueError: if files that it was started with are gone or have changed.
        """
        table = _read_table(nnunet_fold, fold.config)
        setup = cls._assemble(
            nnunet_fold, fold, table, _read_covariates(nnunet_fold, fold.config, table, use, use.radiomics)
        )
        fold.check_unchanged(split, _sources(setup))
        return setup

    def origin(self) -> dict[str, Any]:
        """Present ``sources`` and ``radiomics`` of the fold.

        Raises:
            ValueError: if the radiomics are those of other masks.
        """
        stage_one, config = self.stage_one, self.fold.config
        radiomics = None
        if self.covariates.has_radiomics:
            check_made_from(self.masks, stage_one, config)
            radiomics = used_radiomics(stage_one, config, self.fold.covariates)
        sources = {**_sources(self), STAGE_ONE_WEIGHTS: sha256_of(stage_one.checkpoint)}
        return {"sources": sources, "radiomics": radiomics}

    @classmethod
    def _assemble(
        cls,
        nnunet_fold: NnunetFold,
        fold: SurvivalFold,
        table: SurvivalTable,
        covariates: CovariateTables,
    ) -> "SurvivalSetup":
        config, stage_one = fold.config, StageOneModel.of_fold(nnunet_fold, fold.config)
        masks = choose_masks(
            config, stage_one, fold.all_cases, nnunet_fold.file_ending, nnunet_fold.preprocessed_folder
        )
        masks.check(fold.all_cases)
        return cls(fold, table, covariates, stage_one, masks)


def _sources(setup: SurvivalSetup) -> Mapping[str, str]:
    """Hashes of the files that a started training still depends on, by a name for messages."""
    files = outcome_files(setup.table.path)
    files |= _feature_files(setup.fold.config)
    radiomics = radiomics_file(setup.stage_one, setup.fold.config)
    if setup.covariates.has_radiomics:
        files[f"radiomics ({radiomics.name})"] = radiomics
    return {name: sha256_of(file) for name, file in files.items()} | dict(setup.masks.sources())


def _feature_files(config: SurvivalConfig) -> dict[str, Path]:
    """The user's own tables by a name for messages; files in different folders may have the same name."""
    files = [Path(file) for file in config.features_csv]
    return {f"features {i} ({file.name})": file for i, file in enumerate(files, start=1)}


def _read_table(nnunet_fold: NnunetFold, config: SurvivalConfig) -> SurvivalTable:
    if config.survival_csv is not None:
        file = Path(config.survival_csv)
    else:
        file = default_outcomes(nnunet_fold.plans["dataset_name"])
    return read_survival_table(file, nnunet_fold.case_ids())


def _read_covariates(
    nnunet_fold: NnunetFold,
    config: SurvivalConfig,
    table: SurvivalTable,
    use: CovariateUse,
    has_radiomics: bool,
) -> CovariateTables:
    stage_one = StageOneModel.of_fold(nnunet_fold, config)
    radiomics = read_radiomics(stage_one, config) if has_radiomics else None
    user_tables = {name: read_number_table(file) for name, file in _feature_files(config).items()}
    return CovariateTables.gather(table, radiomics, user_tables, use)
