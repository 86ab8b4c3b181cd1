"""A cross-validation as both stages leave it, of phantoms: risks are guessed from the truth, nothing is trained."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import SimpleITK as sitk
import torch

from nnunetv2_adamss.common.files import sha256_of
from nnunetv2_adamss.datasets.phantom import PhantomCohortConfig, write_phantom_dataset
from nnunetv2_adamss.prediction.calibration import Calibration
from nnunetv2_adamss.prediction.calibration_files import write_model_calibrations
from nnunetv2_adamss.survival.cohort.outcome_files import outcome_files
from nnunetv2_adamss.survival.cohort.survival_table import SurvivalTable, read_survival_table
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.covariates.covariate_tables import CovariateTables, CovariateUse
from nnunetv2_adamss.survival.fold import SurvivalFold
from nnunetv2_adamss.survival.nnunet_data.nnunet_fold import FoldSplit
from nnunetv2_adamss.survival.setup import SurvivalSetup
from nnunetv2_adamss.trained_folds.fold_results import EpochPrediction, write_results
from nnunetv2_adamss.trained_folds.prediction import SurvivalPrediction
from nnunetv2_adamss.trained_folds.trained_fold import TrainedFold
from tests.nnunet_project import NnunetProject

DATASET = "Dataset903_Finished"
SEG_TRAINER, SURV_TRAINER = "AdaMSSSegTrainer", "AdaMSSSurvTrainer"
N_EPOCHS = 12


def make_finished_project(
    root: Path, n_cases: int, n_folds: int = 3, shape: tuple[int, int, int] = (30, 30, 30), spacing: float = 5
) -> NnunetProject:
    """Write raw data, splits, plan and the folders of both stages."""
    project = NnunetProject(root)
    config = PhantomCohortConfig(
        n_training=n_cases, n_test=0, shape=shape, spacing_mm=(spacing, spacing, spacing), dataset_id=903,
        dataset_name="Finished", censoring_fraction=0.5, missing_fraction=0.1, n_centres=2,
    )  # fmt: skip
    write_phantom_dataset(config, project.raw)
    table = read_survival_table(project.raw / DATASET / "survival.csv")
    splits = _splits(table, n_folds)
    (project.preprocessed / DATASET).mkdir(parents=True)
    (project.preprocessed / DATASET / "splits_final.json").write_text(json.dumps(splits))
    for fold, split in enumerate(splits):
        _write_stage_one(project, fold, split)
        _write_stage_two(project, fold, split, table)
    for trainer in (SEG_TRAINER, SURV_TRAINER):
        _write_plan(project, model_folder(project, trainer), shape, spacing)
    return project


def model_folder(project: NnunetProject, trainer: str = SURV_TRAINER) -> Path:
    return project.results / DATASET / f"{trainer}__nnUNetPlans__3d_fullres"


def _splits(table: SurvivalTable, n_folds: int) -> list[dict[str, list[str]]]:
    ordered = table.outcomes.sort_values(["event", "time"]).index
    parts = [sorted(ordered[i::n_folds]) for i in range(n_folds)]
    return [{"train": sorted(set(ordered) - set(part)), "val": part} for part in parts]


def _write_plan(project: NnunetProject, folder: Path, shape: tuple[int, ...], spacing: float) -> None:
    configuration = {
        "data_identifier": "nnUNetPlans_3d_fullres", "spacing": [spacing] * 3, "patch_size": list(shape),
        "batch_size": 2,
        "normalization_schemes": ["CTNormalization", "ZScoreNormalization"],
        "architecture": {"network_class_name": "AdaMSS", "arch_kwargs": {}, "_kw_requires_import": []},
    }  # fmt: skip
    plans = {
        "dataset_name": DATASET,
        "plans_name": "nnUNetPlans",
        "configurations": {"3d_fullres": configuration},
    }
    (folder / "plans.json").write_text(json.dumps(plans))
    (folder / "dataset.json").write_bytes((project.raw / DATASET / "dataset.json").read_bytes())


def _write_stage_one(project: NnunetProject, fold: int, split: dict[str, list[str]]) -> None:
    folder = model_folder(project, SEG_TRAINER) / f"fold_{fold}"
    (folder / "stage1_masks").mkdir(parents=True)
    (folder / "validation").mkdir()
    cases = [_write_mask(project, folder, case_id) for case_id in split["val"]]
    (folder / "validation" / "summary.json").write_text(json.dumps({"metric_per_case": cases}))
    dice = 0.75 - 0.6 * np.exp(-np.arange(N_EPOCHS) / 4)
    _write_checkpoint(folder, {"mean_fg_dice": dice.tolist()})


def _write_mask(project: NnunetProject, folder: Path, case_id: str) -> dict[str, Any]:
    """A mask that is the truth moved by a voxel, and its row of nnU-Net's summary."""
    truth = sitk.ReadImage(str(project.raw / DATASET / "labelsTr" / f"{case_id}.nii.gz"))
    reference = sitk.GetArrayFromImage(truth)
    predicted = np.roll(reference, 1, axis=2)
    mask = sitk.GetImageFromArray(predicted)
    mask.CopyInformation(truth)
    sitk.WriteImage(mask, str(folder / "stage1_masks" / f"{case_id}.nii.gz"))
    metrics = {}
    for label in (1, 2):
        found, there = predicted == label, reference == label
        counts = {"TP": found & there, "FP": found & ~there, "FN": ~found & there}
        n = {name: int(voxels.sum()) for name, voxels in counts.items()}
        total = 2 * n["TP"] + n["FP"] + n["FN"]
        metrics[str(label)] = {**n, "Dice": 2 * n["TP"] / total if total else float("nan")}
    return {"metrics": metrics}


def _write_stage_two(
    project: NnunetProject, fold: int, split: dict[str, list[str]], table: SurvivalTable
) -> None:
    config = SurvivalConfig()
    covariates = CovariateTables.gather(table, None, {}, CovariateUse(radiomics=False, clinical=True))
    survival = replace(
        SurvivalFold.prepare(config, table, FoldSplit(split["train"], split["val"]), covariates),
        sources={name: sha256_of(file) for name, file in outcome_files(table.path).items()},
    )
    folder = model_folder(project) / f"fold_{fold}"
    truth = pd.read_csv(project.raw / DATASET / "phantom_truth.csv", index_col="case_id")
    epochs = {
        name: EpochPrediction(epoch, _guess(survival, truth, epoch))
        for name, epoch in (("best", 7), ("last", 11))
    }
    setup = SurvivalSetup(survival, table, covariates, stage_one=None, masks=None)  # type: ignore[arg-type]
    provenance = {
        "dataset": DATASET, "trainer": SURV_TRAINER, "plans": "nnUNetPlans", "configuration": "3d_fullres",
        "fold": fold,
    }  # fmt: skip
    write_results(folder, setup, epochs, provenance)
    rng = np.random.default_rng(fold)
    c_index = 0.7 - 0.2 * np.exp(-np.arange(N_EPOCHS) / 2) + rng.normal(0, 0.03, N_EPOCHS)
    _write_checkpoint(folder, {"val_c_index": c_index.tolist()})


def _guess(fold: SurvivalFold, truth: pd.DataFrame, epoch: int) -> SurvivalPrediction:
    cases = list(fold.validation_cases)
    rng = np.random.default_rng([fold.edges.size, epoch])
    risk = truth.loc[cases, "true_risk"].to_numpy() + rng.normal(0, 0.7, len(cases))
    hazard = np.exp(risk - 1.5 * risk.mean())[:, None] * np.diff(fold.edges) / fold.edges[-1]
    return SurvivalPrediction(cases, np.exp(-hazard), fold.edges)


def _write_checkpoint(folder: Path, scores: dict[str, list[float]]) -> None:
    falling = np.exp(-np.arange(N_EPOCHS) / 5)
    losses = {"train_losses": falling.tolist(), "val_losses": (falling + 0.1).tolist()}
    torch.save({"logging": {**losses, **scores}, "network_weights": {}}, folder / "checkpoint_final.pth")


def calibrate(project: NnunetProject, n_folds: int = 3) -> None:
    """Write a calibration of the model, as ``adamss_calibrate`` does, of the true outcomes."""
    table = read_survival_table(project.raw / DATASET / "survival.csv")
    folder = model_folder(project)
    folds = [TrainedFold(path).predictions() for path in sorted(folder.glob("fold_*"))]
    shortest = min(folds, key=lambda fold: fold.times[-1])
    curve = np.concatenate([fold.at(shortest.times).survival_curve for fold in folds])
    time, event = table.time_and_event([case_id for fold in folds for case_id in fold.case_ids])
    sha256 = {
        f"fold {fold}": sha256_of(folder / f"fold_{fold}" / "checkpoint_final.pth") for fold in range(n_folds)
    }
    calibration = Calibration.fit(curve, event, time, shortest.times, time_unit="days", sha256=sha256)
    write_model_calibrations(folder, {"checkpoint_final.pth": calibration})


def _write_curves_of_folds(folder: Path, cases: list[str], days: np.ndarray, times: list[float]) -> None:
    by_fold = []
    for fold, more_days in enumerate((0, -100, 100)):
        curves = {f"survival_at_{time:g}": np.exp(-time / (days + more_days)) for time in times}
        by_fold.append(pd.DataFrame({"case_id": cases, "fold": fold, **curves}))
    pd.concat(by_fold).to_csv(folder / "survival_by_fold.csv", index=False)


def write_prediction(project: NnunetProject, folder: Path) -> Path:
    """A folder as ``adamss_predict_survival`` leaves it, of the first four cases; one more has failed."""
    cases = read_survival_table(project.raw / DATASET / "survival.csv").case_ids[:4]
    times = [200.0, 500.0, 1000.0]
    table = pd.DataFrame({"case_id": cases, "risk_score": [-700.0, -500.0, -600.0, -900.0]})
    table["predicted_time"] = -table["risk_score"]
    table["risk_group"] = ["low", "high", "high", "low"]
    for time in times:
        table[f"survival_at_{time:g}"] = np.exp(-time / table["predicted_time"])
    table["predicted_time_sd"] = [20.0, 35.5, 10.0, 5.0]
    table["warnings"] = ["", "no tumour found by fold 1; the folds disagree", "", ""]
    (folder / "masks").mkdir(parents=True)
    table.to_csv(folder / "survival_predictions.csv", index=False)
    _write_curves_of_folds(folder, cases, table["predicted_time"].to_numpy(), times)
    pd.DataFrame({"case_id": cases, "age": 61.5}).to_csv(folder / "covariates.csv", index=False)
    for case_id in cases:
        label = project.raw / DATASET / "labelsTr" / f"{case_id}.nii.gz"
        shutil.copy(label, folder / "masks")
    content = {
        "dataset": DATASET, "trainer": SURV_TRAINER, "plans": "nnUNetPlans", "configuration": "3d_fullres",
        "folds": [0, 1, 2], "checkpoint": "checkpoint_best.pth", "endpoint": "simulated event", "time_unit": "days",
        "times": times, "calibrated": True, "risk_threshold": -650.0, "channel_names": {"0": "CT", "1": "PET"},
        "file_ending": ".nii.gz", "images": str(project.raw / DATASET / "imagesTr"),
        "failed": {"lost_case": "its PET is missing"},
    }  # fmt: skip
    (folder / "prediction.json").write_text(json.dumps(content))
    return folder
