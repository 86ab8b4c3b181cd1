"""The folds of a model that are trained to the end, found by their files alone, without PyTorch."""

from collections.abc import Sequence
from pathlib import Path

from nnunetv2.utilities.file_path_utilities import convert_identifier_to_trainer_plans_config

from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.trained_folds.fold_files import MODEL_FILE, SUMMARY_FILE, fold_number


def complete_folds(model_folder: Path, numbers: Sequence[int | str] | None, *needed: str) -> list[int | str]:
    """Folds that were trained and validated to the end, in order; ``all`` is the last.

    Args:
        model_folder: nnU-Net's ``TRAINER__PLANS__CONFIGURATION``.
        numbers: of the folds, or ``all``; None for all numbered ones that exist.
        needed: files that every fold must have beside ``survival_summary.json``.

    Raises:
        ValueError: if the model does not exist, or one of the folds is not finished.
    """
    folders = [summary.parent for summary in model_folder.glob(f"fold_*/{SUMMARY_FILE}")]
    finished = sorted(
        (fold_number(one) for one in folders if all((one / name).is_file() for name in needed)), key=_order
    )
    there = [number for number in finished if isinstance(number, int)] if numbers is None else numbers
    asked = sorted(set(there), key=_order)
    missing = [number for number in asked if number not in finished]
    if missing or not asked:
        raise ValueError(_not_trained(model_folder, missing, finished))
    return asked


def check_checkpoint(file: Path) -> None:
    """Raise ValueError unless the checkpoint of a survival network exists."""
    if file.is_file():
        return
    others = sorted(path.name for path in file.parent.glob("checkpoint_*.pth"))
    there = f" There is {' and '.join(others)}: choose with -chk." if others else ""
    folds = sorted(path.name.removeprefix("fold_") for path in file.parents[1].glob("fold_*"))
    trained = f" Trained folds: {', '.join(folds)}." if folds and not others else ""
    raise ValueError(
        f"There is no trained survival network {file}.{there}{trained} Train it with adamss_finetune_survival."
    )


def check_fitted(file: Path) -> None:
    """Raise ValueError unless a fold's statistical fit exists."""
    if not file.is_file():
        raise ValueError(f"There is no fitted model {file}. Fit it with adamss_fit_statistical.")


def _order(number: int | str) -> tuple[bool, int, str]:
    return isinstance(number, str), number if isinstance(number, int) else 0, str(number)


def _not_trained(folder: Path, missing: Sequence[int | str], finished: Sequence[int | str]) -> str:
    what = f"Fold {', '.join(map(str, missing))} of {folder} is not trained to the end"
    if not missing:
        what = f"There is no trained fold in {folder}"
    trainer, plans, configuration = convert_identifier_to_trainer_plans_config(folder.name)
    train = f"train it with adamss_finetune_survival {folder.parent.name} {configuration} "
    train += f"{missing[0] if missing else 'FOLD'}"
    if trainer != "AdaMSSSurvTrainer":
        train += f" -tr {trainer}"
    if plans != "nnUNetPlans":
        train += f" -p {plans}"
    if any((folder / f"fold_{number}" / MODEL_FILE).is_file() for number in finished):
        train = "fit it with adamss_fit_statistical"
    if there := " ".join(map(str, finished)):
        return f"{what}: {train}, or choose those that are with -f {there}."
    others = sorted({file.parents[1].name for file in folder.parent.glob(f"*/fold_*/{SUMMARY_FILE}")})
    hint = f" There are {listed(others)}: choose with -tr and -p." if others else ""
    return f"{what}: {train}.{hint}"
