"""Where the facts of a report lie: the folds of a trained model, and the data set it was trained on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from nnunetv2.utilities.file_path_utilities import (
    convert_trainer_plans_config_to_identifier,
    get_output_folder,
)

from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.datasets.phantom.writer import MARKER
from nnunetv2_adamss.report.patient_pictures import Channel, channels_of
from nnunetv2_adamss.survival.cohort.splits_file import SPLITS_FILE, read_splits
from nnunetv2_adamss.survival.cohort.survival_table import SURVIVAL_CSV, SurvivalTable, read_survival_table
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.covariates.number_table import read_number_table
from nnunetv2_adamss.survival.covariates.radiomics_table import radiomics_file
from nnunetv2_adamss.survival.nnunet_data.dataset import (
    PREPROCESSED,
    RAW,
    channel_names,
    dataset_folder,
    raw_images,
)
from nnunetv2_adamss.survival.nnunet_data.dataset_json import read_dataset_json
from nnunetv2_adamss.survival.nnunet_data.nnunet_fold import NnunetFold
from nnunetv2_adamss.survival.nnunet_data.plans_file import read_plans_file
from nnunetv2_adamss.survival.results.fold_files import PREDICTIONS_FILE, SUMMARY_FILE
from nnunetv2_adamss.survival.results.predicted_curves import read_predicted_curves
from nnunetv2_adamss.survival.results.summary_file import OF_REPORT, read_summary
from nnunetv2_adamss.survival.tumour_region.mask_source import MaskSource, choose_masks
from nnunetv2_adamss.survival.tumour_region.stage_one_model import StageOneModel


@dataclass(frozen=True, eq=False)
class FoldSource:
    """A trained fold of Stage II and the fold of Stage I that it started from.

    Args:
        folder: of the fold.
        summary: content of ``survival_summary.json``.
    """

    folder: Path
    summary: Mapping[str, Any]

    @property
    def number(self) -> int | str:
        """Of the fold, or ``all``."""
        number: int | str = self.summary["fold"]
        return number

    @property
    def name(self) -> str:
        """For people."""
        return f"Fold {self.number}"

    @property
    def stage_one_folder(self) -> Path:
        """The same fold of Stage I."""
        name = convert_trainer_plans_config_to_identifier(
            self.summary["settings"]["seg_trainer"], self.summary["plans"], self.summary["configuration"]
        )
        return self.folder.parents[1] / name / self.folder.name


@dataclass(frozen=True, eq=False)
class ReportSource:
    """A survival model and its data set.

    Args:
        dataset: nnU-Net's name.
        configuration: such as ``3d_fullres``.
        trainer: of Stage II, class name.
        plans_name: such as ``nnUNetPlans``.
        model_folder: of all folds of Stage II.
        folds: those that the report is about.
    """

    dataset: str
    configuration: str
    trainer: str
    plans_name: str
    model_folder: Path
    folds: Sequence[FoldSource]

    @property
    def raw_folder(self) -> Path:
        """Of the data set."""
        return dataset_folder(RAW, self.dataset)

    @property
    def is_synthetic(self) -> bool:
        """Whether the data set is one that this package made up."""
        return (self.raw_folder / MARKER).is_file()

    @cached_property
    def plans(self) -> Mapping[str, Any]:
        """The plan that the model was trained with."""
        return read_plans_file(_there(self.model_folder / "plans.json"))

    @cached_property
    def dataset_json(self) -> Mapping[str, Any]:
        """Channels and labels that the model was trained with."""
        return read_dataset_json(_there(self.model_folder / "dataset.json"), "file_ending", "labels")

    @cached_property
    def table(self) -> SurvivalTable:
        """The outcomes that all folds were trained on.

        Raises:
            ValueError: if the table cannot be read, or folds were trained on different ones.
        """
        given = [fold.summary["settings"]["survival_csv"] for fold in self.folds]
        files = sorted({str(file or self.raw_folder / SURVIVAL_CSV) for file in given})
        if len(files) > 1:
            raise ValueError(
                f"The folds were trained on different survival tables ({listed(files)}), so they are no one "
                "cross-validation; choose folds of one table with -f."
            )
        return read_survival_table(Path(files[0]))

    @cached_property
    def splits(self) -> list[dict[str, list[str]]]:
        """nnU-Net's splits; empty where it has none."""
        file = dataset_folder(PREPROCESSED, self.dataset) / SPLITS_FILE
        return read_splits(file) if file.is_file() else []

    @property
    def numbers_of_absent_folds(self) -> list[int]:
        """Folds of the split that the report is not about."""
        there = {fold.number for fold in self.folds}
        return [] if "all" in there else [n for n in range(len(self.splits)) if n not in there]

    @cached_property
    def _image_files(self) -> Mapping[str, Mapping[str, Any]]:
        return raw_images(self.raw_folder)

    def channels(self, case_id: str) -> list[Channel]:
        """The images of a training case.

        Raises:
            ValueError: if the raw data set has no such case.
        """
        if not self.raw_folder.is_dir() or case_id not in self._image_files:
            raise ValueError(f"The images of {case_id} are not in {self.raw_folder}.")
        files = [Path(file) for file in self._image_files[case_id]["images"]]
        return channels_of(channel_names(self.dataset_json), files)

    def masks(self, fold: FoldSource) -> MaskSource:
        """The tumour masks that a fold of Stage I used for its cases."""
        config, stage_one = self._stage_one(fold)
        nnunet_fold = NnunetFold(self.plans, self.dataset_json, self.configuration, fold.number)
        cases = read_predicted_curves(fold.folder / PREDICTIONS_FILE).case_ids
        return choose_masks(
            config, stage_one, cases, nnunet_fold.file_ending, nnunet_fold.preprocessed_folder
        )

    def selected_features(self, fold: FoldSource) -> pd.DataFrame:
        """Radiomics and the user's own features that a fold's network gets, by ``case_id``, as they were measured.

        Those of tables that are no longer there are left out.
        """
        config, stage_one = self._stage_one(fold)
        files = [radiomics_file(stage_one, config), *map(Path, config.features_csv)]
        tables = [read_number_table(file) for file in files if file.is_file()]
        covariates = fold.summary.get("covariates") or {}
        selected = (covariates.get("feature_selection") or {}).get("selected", [])
        names = [one["feature"] for one in selected]
        return pd.concat([table.filter(names) for table in tables], axis=1) if tables else pd.DataFrame()

    def _stage_one(self, fold: FoldSource) -> tuple[SurvivalConfig, StageOneModel]:
        config = SurvivalConfig.from_dict(fold.summary["settings"])
        return config, StageOneModel(
            config.seg_trainer, self.plans, self.configuration, fold.number, config.seg_checkpoint
        )


def find_model(
    dataset: str, configuration: str, trainer: str, plans_name: str, folds: Sequence[int | str] | None = None
) -> ReportSource:
    """A trained survival model in nnU-Net's results folder.

    Args:
        dataset: nnU-Net's name.
        configuration: such as ``3d_fullres``.
        trainer: of Stage II.
        plans_name: such as ``nnUNetPlans``.
        folds: which; default all numbered ones that are trained.

    Raises:
        ValueError: if there is no such model, or one of the folds that were asked for is not trained.
    """
    folder = Path(get_output_folder(dataset, trainer, plans_name, configuration))
    if folds is None:
        names = [p.parent.name for p in folder.glob(f"fold_*/{SUMMARY_FILE}") if p.parent.name != "fold_all"]
        names.sort(key=lambda name: int(name.removeprefix("fold_")))
    else:
        names = [f"fold_{fold}" for fold in dict.fromkeys(folds)]
    missing = [name for name in names if not (folder / name / SUMMARY_FILE).is_file()]
    if missing or not names:
        raise ValueError(_not_trained(folder, missing, dataset, configuration))
    sources = [FoldSource(folder / name, read_summary(folder / name, *OF_REPORT)) for name in names]
    return ReportSource(dataset, configuration, trainer, plans_name, folder, sources)


def _there(file: Path) -> Path:
    """The same file; ValueError if it is not there."""
    if not file.is_file():
        raise ValueError(f"There is no {file}.")
    return file


def _not_trained(folder: Path, missing: Sequence[str], dataset: str, configuration: str) -> str:
    what = f"These folds are not trained: {listed(missing)}" if missing else "There is no trained fold"
    trained = sorted(path.parent.name for path in folder.glob(f"fold_*/{SUMMARY_FILE}"))
    others = sorted({p.parents[1].name for p in folder.parent.glob(f"*/fold_*/{SUMMARY_FILE}")})
    hint = (
        f" Trained are {listed(trained)}: choose with -f."
        if trained
        else f" There are {listed(others)}: choose with -tr and -p."
        if others
        else ""
    )
    return f"{what} in {folder}.{hint} Train with: adamss_finetune_survival {dataset} {configuration} FOLD"
