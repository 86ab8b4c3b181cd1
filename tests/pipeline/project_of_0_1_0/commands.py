"""What is asked of the project, when it is made by version 0.1.0 and when a later version continues it.

In the spelling of 0.1.0, which both understand.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.nnunet_project import NnunetProject, run_command

FOLDER = Path(__file__).parent
# The project with the trainings of 0.1.0, and in ``answers`` what 0.1.0 made of it.
ARCHIVE = FOLDER / "project.tar.xz"

DATASET = "Dataset904_OfVersion010"
MODEL = ("904", "3d_fullres")
SEG_TRAINER, TRAINER = "AdaMSSSegTrainer_OfAUser", "AdaMSSSurvTrainer_OfAUser"
TRAINED_FOLDS, KILLED_FOLD = ("0", "1"), "2"
# One network of each kind of loss, by names that stand in users' checkpoints; fold 0 of each is trained.
PUBLISHED_TRAINERS = (
    "AdaMSSSurvTrainer_ShortSchedule_MultiTask",
    "MDSNProxyTrainer_ShortSchedule",
    "DeepMTLRTrainer_ShortSchedule",
)
# Trainer, folds and other options of what is predicted for new patients, by name.
CALIBRATED = "calibrated"
PREDICTIONS: Mapping[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    CALIBRATED: (TRAINER, TRAINED_FOLDS, ()),
    "uncalibrated": (TRAINER, TRAINED_FOLDS, ("--no_calibration",)),
    **{trainer: (trainer, ("0",), ()) for trainer in PUBLISHED_TRAINERS},
}
# Where the statistical methods' results lie, by the methods' names.
STATISTICAL_METHODS = {"lasso_cox": "LassoCoxPH", "tumour_volume": "TumourVolume"}


@dataclass(frozen=True)
class ProjectOf010:
    """The project, wherever it was unpacked.

    Args:
        nnunet: its folders.
        environment: what is set beside nnU-Net's variables.
    """

    nnunet: NnunetProject
    environment: dict[str, str]

    @classmethod
    def below(cls, root: Path, trainers: str | None = None, **environment: str) -> "ProjectOf010":
        """The project in this folder.

        Args:
            root: the folder.
            trainers: where nnU-Net finds trainers beside the user's own; default as it is.
            environment: what else is set.
        """
        trainers = trainers or os.environ.get("nnUNet_extTrainer", "")
        folders = os.pathsep.join([str(FOLDER / "own_trainers"), trainers])
        # One thread and no worker: the same numbers on every machine.
        same = {"OMP_NUM_THREADS": "1", "nnUNet_n_proc_DA": "0", "nnUNet_extTrainer": folders}
        return cls(NnunetProject(root), same | environment)

    @property
    def answers(self) -> Path:
        """What 0.1.0 answered."""
        return self.nnunet.root / "answers"

    @property
    def raw(self) -> Path:
        return self.nnunet.raw / DATASET

    def fold(self, number: str, trainer: str = TRAINER) -> Path:
        return self.nnunet.results / DATASET / f"{trainer}__nnUNetPlans__3d_fullres" / f"fold_{number}"

    def run(self, command: str, *arguments: str, **environment: str) -> str:
        variables = self.nnunet.environment | self.environment | environment
        return run_command(command, *arguments, environment=variables)

    def train(self, fold: str, *options: str, trainer: str = TRAINER) -> None:
        self.run("adamss_finetune_survival", *MODEL, fold, "-tr", trainer, "-device", "cpu", *options)

    def calibrate(self) -> str:
        """Returns the table that the command prints."""
        return self.run("adamss_calibrate", *MODEL, "-tr", TRAINER, "-f", *TRAINED_FOLDS)

    def evaluate(self, out: Path) -> None:
        self.run(
            "adamss_evaluate_survival", "-d", MODEL[0], "-c", MODEL[1], "-tr", TRAINER, "-f", *TRAINED_FOLDS,
            "-o", str(out), "--n_resamples", "100",
        )  # fmt: skip

    def predict(self, name: str, out: Path) -> None:
        """One of ``PREDICTIONS``, of the new patients."""
        trainer, folds, options = PREDICTIONS[name]
        self.run(
            "adamss_predict_survival", "-i", str(self.raw / "imagesTs"), "-o", str(out), "-d", MODEL[0], "-c", MODEL[1],
            "-tr", trainer, "-f", *folds, "-chk", "checkpoint_final.pth", "-device", "cpu",
            "--clinical", str(self.raw / "survival_test.csv"), *options,
        )  # fmt: skip

    def predict_statistical(self, method: str, out: Path) -> None:
        options = {
            "lasso_cox": ["--clinical", str(self.raw / "survival_test.csv"),
                          "--features", str(self.answers / "radiomics_of_new_patients.csv")],
            "tumour_volume": ["-m", str(self.raw / "labelsTs")],
        }  # fmt: skip
        self.run(
            "adamss_predict_statistical", "-d", MODEL[0], "-c", MODEL[1], "-tr", STATISTICAL_METHODS[method], "-f", "0",
            "-o", str(out), *options[method],
        )  # fmt: skip

    def report(self, predictions: Path, out: Path) -> None:
        self.run(
            "adamss_report", *MODEL, "-tr", TRAINER, "-f", *TRAINED_FOLDS, "--predictions", str(predictions),
            "-o", str(out),
        )  # fmt: skip
