"""The demo's steps: the real commands, from nothing to a report on held-out patients."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nnunetv2_adamss.survival.nnunet_data.adamss_plans import ADAMSS_PLANS
from nnunetv2_adamss.trained_folds.fold_files import latest_checkpoint

# Duration with the default number of cases, as in README and --help, and as the sum of the steps below.
LENGTH = "about 10 minutes on two CPU cores"
DATASET_ID = 990
DATASET_NAME = f"Dataset{DATASET_ID}_Phantom"
CONFIGURATION = "3d_fullres"
FOLD = 0
TRAINER = "AdaMSSSegTrainer_ShortSchedule"
# First-order statistics stand in for the 1,456 features, which would take longer than the training.
SURVIVAL_TRAINER = "AdaMSSSurvTrainer_ShortSchedule_Anchored_NoRadiomics"
# A third of the cases for validation: in a fifth of a few dozen, hardly any two patients can be compared.
N_FOLDS = 3
# Two that show in the images but hardly in the tumour's volume, and two of the table; strong enough for few patients
# (docs/measurements.md).
SIGNALS = ("n_nodes", "out_of_tumour_uptake", "age", "hpv")
EFFECT, CENSORING = 1.0, 0.3
# 32 voxels of 5 mm hold a neck and keep a training step under a second on two CPU cores.
_SHAPE = ("32", "32", "32")
_SPACING_MM = ("5", "5", "5")


# nnU-Net's eight processes for each step would all import torch, which takes longer than their work on small images.
N_PROCESSES = min(2, os.cpu_count() or 1)


@dataclass(frozen=True)
class DemoFolders:
    """Folders of the demo: nnU-Net's three, and those of its predictions."""

    root: Path

    @property
    def environment(self) -> dict[str, str]:
        """nnU-Net's own variables, for this demo only."""
        names = ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results")
        return {name: str(self.root / name) for name in names}

    @property
    def raw(self) -> Path:
        """The phantom data set, as nnU-Net reads raw data."""
        return self.root / "nnUNet_raw" / DATASET_NAME

    @property
    def model(self) -> Path:
        """The model of Stage I, with a folder for each fold."""
        name = f"{TRAINER}__{ADAMSS_PLANS}__{CONFIGURATION}"
        return self.root / "nnUNet_results" / DATASET_NAME / name

    @property
    def fold(self) -> Path:
        """The fold of Stage I that the demo trains."""
        return self.model / f"fold_{FOLD}"

    @property
    def survival_fold(self) -> Path:
        """The fold of Stage II that the demo trains."""
        name = f"{SURVIVAL_TRAINER}__{ADAMSS_PLANS}__{CONFIGURATION}"
        return self.model.parent / name / f"fold_{FOLD}"

    @property
    def prediction(self) -> Path:
        """Masks and survival of the held-out patients."""
        return self.root / "prediction"

    @property
    def masks(self) -> Path:
        """Masks of the held-out patients, and nnU-Net's ``summary.json`` of them."""
        return self.prediction / "masks"

    @property
    def evaluation(self) -> Path:
        """Evaluation of the held-out patients' predicted survival."""
        return self.root / "evaluation"

    @property
    def report(self) -> Path:
        """Report on the model and the held-out patients."""
        return self.root / "report.html"


@dataclass(frozen=True)
class Step:
    """One command of the demo.

    Args:
        title: its purpose in a few words.
        seconds: typical duration, of which :data:`LENGTH` is the sum.
        command: the command line, as a user would type it; started again, it repeats the step.
    """

    title: str
    seconds: float
    command: Sequence[str]


def demo_steps(folders: DemoFolders, n_training: int, n_test: int, device: str) -> list[Step]:
    """Return the steps in order; a training that was stopped continues from its last epoch."""
    dataset = str(DATASET_ID)
    by_plan = ("-p", ADAMSS_PLANS)
    # One table holds clinical columns and outcomes of the held-out patients.
    outcomes = str(folders.raw / "survival_test.csv")

    def continued(fold: Path) -> list[str]:
        return ["--c"] if latest_checkpoint(fold) else []

    return [
        Step(
            "Make a synthetic PET/CT cohort",
            10,
            ["adamss_make_phantom_dataset", "-d", dataset, "-n", str(n_training), "--n_test", str(n_test),
             "--signals", *SIGNALS, "--effect", str(EFFECT), "--censoring", str(CENSORING),
             "--shape", *_SHAPE, "--spacing", *_SPACING_MM, "--overwrite"],
        ),
        Step(
            "Check images, masks and outcomes",
            13,
            ["adamss_verify_dataset", "-d", dataset],
        ),
        Step(
            "Plan with nnU-Net",
            22,
            ["nnUNetv2_plan_and_preprocess", "-d", dataset, "--no_pp", "-npfp", str(N_PROCESSES)],
        ),
        Step(
            "Take the paper's CT range and batch size",
            5,
            ["adamss_set_normalization", "-d", dataset, "--batch_size", "2"],
        ),
        Step(
            "Preprocess with nnU-Net",
            10,
            ["nnUNetv2_preprocess", "-d", dataset, "-plans_name", ADAMSS_PLANS, "-c", CONFIGURATION,
             "-np", str(N_PROCESSES)],
        ),
        Step(
            "Make splits with events in each part",
            3,
            ["adamss_make_splits", "-d", dataset, "-k", str(N_FOLDS)],
        ),
        Step(
            "Stage I: train the tumour segmentation",
            275,
            ["nnUNetv2_train", dataset, CONFIGURATION, str(FOLD), "-tr", TRAINER, *by_plan, "--val_best",
             "-device", device, *continued(folders.fold)],
        ),
        Step(
            "Extract radiomics",
            24,
            ["adamss_extract_radiomics", dataset, CONFIGURATION, str(FOLD), *by_plan, "-seg_tr", TRAINER,
             "--radiomics", "first_order", "-device", device],
        ),
        Step(
            "Stage II: train the survival network",
            158,
            ["adamss_finetune_survival", dataset, CONFIGURATION, str(FOLD), "-tr", SURVIVAL_TRAINER,
             "-seg_tr", TRAINER, *by_plan, "-device", device, *continued(folders.survival_fold)],
        ),
        Step(
            "Predict masks and survival of the held-out patients",
            15,
            ["adamss_predict_survival", "-i", str(folders.raw / "imagesTs"), "-o", str(folders.prediction),
             "-d", dataset, "-c", CONFIGURATION, "-tr", SURVIVAL_TRAINER, *by_plan, "-f", str(FOLD),
             "--clinical", outcomes, "-device", device, "--c"],
        ),
        Step(
            "Evaluate the masks",
            5,
            ["nnUNetv2_evaluate_folder", str(folders.raw / "labelsTs"), str(folders.masks),
             "-djfile", str(folders.model / "dataset.json"), "-pfile", str(folders.model / "plans.json")],
        ),
        Step(
            "Evaluate predicted survival",
            3,
            ["adamss_evaluate_survival", "--predictions", str(folders.prediction / "survival_predictions.csv"),
             "--survival_csv", outcomes, "-o", str(folders.evaluation)],
        ),
        Step(
            "Explain the network",
            30,
            ["adamss_explain", dataset, CONFIGURATION, str(FOLD), "-tr", SURVIVAL_TRAINER, *by_plan, "--max_cases", "3",
             "--occlusion_mm", "40", "-device", device],
        ),
        Step(
            "Write the report",
            22,
            ["adamss_report", "-d", dataset, "-c", CONFIGURATION, "-tr", SURVIVAL_TRAINER, *by_plan, "-f", str(FOLD),
             "--predictions", str(folders.prediction), "--survival_csv", outcomes, "-o", str(folders.report)],
        ),
    ]  # fmt: skip
