"""nnU-Net's three folders with one cohort of phantoms, on which several benchmarks train."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from nnunetv2_adamss.common.processes import program_of
from nnunetv2_adamss.datasets.phantom import PhantomCohortConfig, write_phantom_dataset
from nnunetv2_adamss.datasets.phantom.outcomes import (
    censoring_scale,
    linear_predictor,
    observe,
    weibull_times,
)
from nnunetv2_adamss.datasets.phantom.signals import SIGNALS
from nnunetv2_adamss.methods.statistical.fit import FitRequest, fit_statistical
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.covariates.radiomics_table import radiomics_name

STAGE_ONE = "AdaMSSSegTrainer_ShortSchedule"
SURVIVAL_TRAINER = "AdaMSSSurvTrainer_ShortSchedule"
# CT as in the paper: nnU-Net's window, fitted to tumours, hides what CT shows elsewhere.
PLANS = "AdaMSSPlans"


class Project:
    """nnU-Net's three folders with one cohort of phantoms.

    Args:
        root: of the three folders.
        config: of the cohort.
        device: for trainings.
        results: name of the folder of trainings.
        validation_share: fraction of the cases that a split validates.
    """

    def __init__(
        self,
        root: Path,
        config: PhantomCohortConfig,
        device: str,
        results: str = "results",
        validation_share: float = 0.3,
    ) -> None:
        self.root, self.config, self.device = root, config, device
        self.validation_share = validation_share
        self.dataset_id = str(config.dataset_id)
        self.raw = root / "raw" / config.folder_name
        self.preprocessed = root / "preprocessed" / config.folder_name
        self.results = root / results / config.folder_name
        self.splits_file = self.preprocessed / "splits_final.json"

    def check_settings(self, settings: dict) -> None:
        """Exit if the work folder holds trainings with other settings."""
        self.root.mkdir(parents=True, exist_ok=True)
        file = self.root / "settings.json"
        if file.is_file() and json.loads(file.read_text()) != settings:
            raise SystemExit(f"{self.root} was begun with {file.read_text()}; choose another work folder.")
        file.write_text(json.dumps(settings))

    def prepare(self, n_folds: int, *, radiomics: bool = False, one_split: bool = False) -> None:
        """Run ``preprocess``, and train one Stage-I network that all folds share.

        Args:
            n_folds: number of splits.
            radiomics: whether to extract the features of the Stage-I masks, which all folds share.
            one_split: give all folds the split of fold 0, whose validation cases the network was not trained on.
        """
        self.preprocess(n_folds, one_split=one_split)
        self.train_stage_one(STAGE_ONE)
        if radiomics:
            self.extract_radiomics("predicted")
        for fold in range(1, n_folds):
            self.share_stage_one(STAGE_ONE, fold)

    def preprocess(self, n_folds: int, *, one_split: bool = False) -> None:
        """Make phantoms, nnU-Net's plan, and one random split a fold, or the same for all."""
        if not self.raw.is_dir():
            write_phantom_dataset(self.config, self.raw.parent)
        self.plan()
        cases = pd.read_csv(self.raw / "survival.csv")["case_id"].to_numpy()
        n_validation = round(self.validation_share * len(cases))
        seeds = [0 if one_split else fold for fold in range(n_folds)]
        orders = [np.random.default_rng(seed).permutation(cases) for seed in seeds]
        splits = [{"train": sorted(o[n_validation:]), "val": sorted(o[:n_validation])} for o in orders]
        self.splits_file.write_text(json.dumps(splits))

    def plan(self) -> None:
        """Plan and preprocess, unless this is done; the splits are written afterwards."""
        if self.splits_file.is_file():
            return
        self.run("nnUNetv2_plan_and_preprocess", "-d", self.dataset_id, "--no_pp")
        # Batches of two, as nnU-Net plans for images of a patient's size, and as in the paper (Section 4.2).
        self.run("adamss_set_normalization", "-d", self.dataset_id, "--batch_size", "2", "--overwrite")
        self.run(
            "nnUNetv2_preprocess", "-d", self.dataset_id, "-plans_name", PLANS, "-c", "3d_fullres", "-np", "2"
        )

    def train_stage_one(self, trainer: str, fold: int = 0) -> None:
        """Train a Stage-I network, unless this is done."""
        folder = self.fold_folder(trainer, fold)
        if not (folder / "checkpoint_final.pth").is_file():
            self.run(
                "nnUNetv2_train", self.dataset_id, "3d_fullres", str(fold), "-tr", trainer, "-p", PLANS,
                "-device", self.device, *self.continuing(folder),
            )  # fmt: skip

    def extract_radiomics(self, mask_source: str, radiomics: str = "all", fold: int = 0) -> None:
        """Extract the features of a fold, unless they are there."""
        config = SurvivalConfig(mask_source=mask_source, radiomics=radiomics)
        if not (self.fold_folder(STAGE_ONE, fold) / radiomics_name(config)).is_file():
            self.run(
                "adamss_extract_radiomics", *self.fold(fold), "--mask_source", mask_source, "--radiomics", radiomics
            )  # fmt: skip

    def share_stage_one(self, trainer: str, fold: int) -> None:
        """Give another fold the Stage-I network of fold 0, its masks and their radiomics, without copying them.

        Hard links, since trainings of several folds at the same time each replace their own radiomics.
        """
        folder = self.fold_folder(trainer, fold)
        if not folder.exists():
            shutil.copytree(folder.with_name("fold_0"), folder, copy_function=os.link)

    def draw_outcomes(self, log_hazard_ratios: Mapping[str, float], rng: np.random.Generator) -> pd.DataFrame:
        """Return ``phantom_truth.csv`` with new ``true_risk``, ``time`` and ``event`` by a hazard of these signals."""
        truth = pd.read_csv(self.raw / "phantom_truth.csv")
        truth["true_risk"] = linear_predictor(
            truth[list(SIGNALS)], log_hazard_ratios, tuple(log_hazard_ratios)
        )
        times = weibull_times(
            truth["true_risk"].to_numpy(), 1 - rng.random(len(truth)), self.config.weibull_shape, 1500
        )
        censoring = rng.uniform(0.15, 1, len(truth))
        scale = censoring_scale(times, censoring, self.config.censoring_fraction)
        truth["event"], truth["time"] = observe(times, scale * censoring)
        return truth.astype({"event": int})

    def write_outcomes(
        self, name: str, log_hazard_ratios: Mapping[str, float], rng: np.random.Generator
    ) -> tuple[pd.DataFrame, Path]:
        """Write a survival table with new outcomes in a folder of this name; return the true data and the file."""
        truth = self.draw_outcomes(log_hazard_ratios, rng)
        folder = self.root / name
        folder.mkdir(parents=True, exist_ok=True)
        table = pd.read_csv(self.raw / "survival.csv", dtype=str).set_index("case_id")
        outcomes = truth.set_index("case_id").loc[table.index]
        table["time"], table["event"] = outcomes["time"], outcomes["event"]
        table.to_csv(folder / "survival.csv")
        shutil.copy(self.raw / "survival.json", folder)
        return truth, folder / "survival.csv"

    def train(self, trainer: str, fold: int, *options: str, stage_one: str = STAGE_ONE) -> Path:
        """Train Stage II of one fold, or continue it, unless it is finished; return the fold's folder."""
        folder = self.fold_folder(trainer, fold)
        if not (folder / "survival_summary.json").is_file():
            self.run(
                "adamss_finetune_survival",
                *self.fold(fold, stage_one),
                "-tr",
                trainer,
                *options,
                *self.continuing(folder),
            )
        return folder

    def train_here(self, trainer: str, fold: int, settings: Mapping[str, Any]) -> Path:
        """Train as in ``train``, but in this process, which saves the seconds in which a command starts."""
        from nnunetv2_adamss.trainers.finetune import FinetuneRequest, finetune_survival

        folder = self.fold_folder(trainer, fold)
        if not (folder / "survival_summary.json").is_file():
            os.environ.update(self.variables)
            request = FinetuneRequest(
                self.dataset_id, "3d_fullres", fold, {"seg_trainer": STAGE_ONE, **settings}, trainer, PLANS,
                self.device, continue_training=bool(self.continuing(folder)),
            )  # fmt: skip
            finetune_survival(request)
        return folder

    def fit_statistical(self, method: str, name: str, fold: int, **settings: Any) -> Path:
        """Fit a statistical method on one fold, unless this is done; return the folder of the fold under its name."""
        folder = self.fold_folder(name, fold)
        if not (folder / "survival_summary.json").is_file():
            # In this process, since starting another takes longer than most fits.
            os.environ.update(self.variables)
            request = FitRequest(
                self.dataset_id, "3d_fullres", fold, method, {"seg_trainer": STAGE_ONE, **settings},
                plans=PLANS, device=self.device,
            )  # fmt: skip
            fit_statistical(request)
        return folder

    def fold_folder(self, trainer: str, fold: int = 0) -> Path:
        """Return the folder of a trained fold."""
        return self.results / f"{trainer}__{PLANS}__3d_fullres" / f"fold_{fold}"

    def fold(self, number: int, stage_one: str = STAGE_ONE) -> tuple[str, ...]:
        """Return the first arguments of commands on a fold of Stage II."""
        return (
            self.dataset_id, "3d_fullres", str(number), "-p", PLANS, "-seg_tr", stage_one, "-device", self.device
        )  # fmt: skip

    @staticmethod
    def continuing(fold: Path) -> list[str]:
        """Return the option that continues a training, if it was stopped after its first checkpoint."""
        return ["--c"] if any(fold.glob("checkpoint_*.pth")) else []

    @property
    def variables(self) -> dict[str, str]:
        """Environment variables of nnU-Net."""
        folders = {"raw": self.raw, "preprocessed": self.preprocessed, "results": self.results}
        return {f"nnUNet_{name}": str(folder.parent) for name, folder in folders.items()}

    def run(self, command: str, *arguments: str) -> None:
        with (self.root / "commands.log").open("a") as log:
            subprocess.run(
                [program_of(command), *arguments],
                env={**os.environ, **self.variables},
                check=True,
                stdout=log,
                stderr=log,
            )


def predicted_risk(predictions: Path) -> pd.Series:
    """Read the risk score of each case."""
    return pd.read_csv(predictions).set_index("case_id")["risk_score"]


def covariates_only_risk(validation: Path) -> pd.Series:
    """Risk score by case of the Cox model on a training's covariates; 0 for all where none is selected.

    Args:
        validation: folder of the training's predictions.
    """
    file = validation / "covariates_only_cox_predictions.csv"
    return (
        predicted_risk(file)
        if file.is_file()
        else 0 * predicted_risk(validation / "survival_predictions.csv")
    )


def mean_and_interval(values: pd.Series) -> list[float]:
    """Return the mean over seeds with the 95% interval of Student's t; no interval for one seed or equal values."""
    if len(values) < 2 or values.max() == values.min():
        return [float(values.mean())] * 3
    low, high = stats.t.interval(0.95, len(values) - 1, values.mean(), values.sem())
    return [float(values.mean()), float(low), float(high)]
