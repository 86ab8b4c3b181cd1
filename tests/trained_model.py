"""A survival model of two folds with radiomics and clinical indicators, trained for seconds on phantoms."""

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pytest
import torch

from nnunetv2_adamss.methods.statistical import fit
from nnunetv2_adamss.radiomics.fold_radiomics import FoldRadiomics, read_fold
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.nnunet_data.nnunet_fold import NnunetFold
from nnunetv2_adamss.survival.setup import SurvivalSetup
from tests.nnunet_project import NnunetProject, read_plans
from tests.radiomics.phantoms import quick_request
from tests.survival_project import DATASET, dataset_json, splits, survival_csv, write_stage_one
from tests.trainers.short_trainers.adamss_test_survival_trainers import (
    AdaMSSSurvTrainer_TwoIterations_WithRadiomics,
)

FOLDS = (0, 1)


@dataclass(frozen=True)
class TrainedModel:
    """What a user has after training: nnU-Net's folders, and the survival model in them."""

    project: NnunetProject
    results: Path

    @property
    def folder(self) -> Path:
        name = f"{AdaMSSSurvTrainer_TwoIterations_WithRadiomics.__name__}__nnUNetPlans__3d_fullres"
        return self.results / DATASET / name

    @property
    def clinical(self) -> Path:
        return survival_csv(self.project)

    def linked_in(self, results: Path) -> "TrainedModel":
        """The same with results of its own; their files are links, so replace them whole."""
        return replace(self, results=shutil.copytree(self.results, results, copy_function=os.link))

    def use_for_statistical_methods(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Set nnU-Net's variables, and have a fit extract the few features that the model has, too."""
        self.project.use(monkeypatch)
        monkeypatch.setenv("nnUNet_results", str(self.results))
        monkeypatch.setattr(fit, "extract_missing_radiomics", _extract_few_features)

    def validation_cases(self, fold: int) -> list[str]:
        return splits(self.project)[fold]["val"]

    def images(self, case_ids: list[str], folder: Path) -> Path:
        """Link the raw images of these cases into a folder, as one hands them to a prediction."""
        folder.mkdir(parents=True)
        for case_id in case_ids:
            for channel in ("0000", "0001"):
                name = f"{case_id}_{channel}.nii.gz"
                (folder / name).symlink_to(self.project.raw / DATASET / "imagesTr" / name)
        return folder

    def validation_predictions(self, fold: int, epoch: str) -> pd.DataFrame:
        file = self.folder / f"fold_{fold}" / "validation" / f"survival_predictions_{epoch}.csv"
        return pd.read_csv(file).set_index("case_id")


def _extract_few_features(nnunet_fold: NnunetFold, setup: SurvivalSetup, device: str) -> None:
    radiomics = FoldRadiomics(nnunet_fold, setup.fold.config, quick_request().settings)
    if not radiomics.is_current(setup.fold.all_cases):
        radiomics.extract(setup.fold.all_cases, device=device, num_processes=1)


def train_model(survival_project: NnunetProject, results: Path) -> None:
    """Train both folds, with masks of Stage I and all of a few features."""
    config = SurvivalConfig(
        feature_selection="none", clinical_selection="none", mirroring=False, n_intervals=4, epochs=1
    )
    with pytest.MonkeyPatch.context() as monkeypatch:
        survival_project.use(monkeypatch)
        monkeypatch.setenv("nnUNet_results", str(results))
        monkeypatch.setenv("nnUNet_n_proc_DA", "0")
        for fold in FOLDS:
            write_stage_one(survival_project, fold)
            nnunet_fold = read_fold(DATASET, "nnUNetPlans", "3d_fullres", fold)
            FoldRadiomics(nnunet_fold, config, quick_request().settings).extract(
                device="cpu", num_processes=1
            )
            trainer = AdaMSSSurvTrainer_TwoIterations_WithRadiomics(
                read_plans(survival_project, DATASET), "3d_fullres", fold, dataset_json(survival_project),
                torch.device("cpu"),
            )  # fmt: skip
            config.save(Path(trainer.output_folder))
            trainer.run_training()
            trainer.perform_actual_validation()
