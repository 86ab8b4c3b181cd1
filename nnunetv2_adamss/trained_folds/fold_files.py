"""Names of the files that a trained fold leaves."""

from pathlib import Path

PREDICTIONS_FILE = "validation/survival_predictions.csv"
# nnU-Net's, the most finished first, as its --c looks for them; a training that still runs has no final one.
CHECKPOINT_FILES = ("checkpoint_final.pth", "checkpoint_latest.pth", "checkpoint_best.pth")
# The epochs whose predictions are kept, and the files of their weights.
CHECKPOINTS = {"best": CHECKPOINT_FILES[2], "last": CHECKPOINT_FILES[0]}
# Written by the trainers whose risks a statistical method starts from.
TRAINING_PREDICTIONS_FILE = "training_predictions.csv"
# Written by networks that also segment: 1 in the tumour, on the images' own grid.
PREDICTED_MASKS = "validation/masks"
COVARIATES_ONLY_FILE = "validation/covariates_only_cox_predictions.csv"
# Written by a statistical fit, which has no checkpoint.
MODEL_FILE = "model.json"
# nnU-Net's own commands read every summary.json as Dice.
SUMMARY_FILE = "survival_summary.json"


def latest_checkpoint(fold_folder: Path) -> Path | None:
    """The most finished checkpoint, of either stage, with which ``--c`` continues; None if there is none."""
    files = (fold_folder / name for name in CHECKPOINT_FILES)
    return next((file for file in files if file.is_file()), None)


def epoch_predictions_file(epoch: str) -> str:
    """Path, in the fold's folder, of the validation cases' predictions by the ``best`` or the ``last`` epoch."""
    return f"validation/survival_predictions_{epoch}.csv"


def fold_number(fold_folder: Path) -> int | str:
    """Number of nnU-Net's ``fold_F``, or ``all``."""
    number = fold_folder.name.removeprefix("fold_")
    return int(number) if number.isdecimal() else number
