"""Files of a survival model, as nnU-Net's folder or an exported zip, and the folds in it."""

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from nnunetv2_adamss.prediction.model_path import check_model_path
from nnunetv2_adamss.trained_folds.fold_files import CHECKPOINT_FILES, CHECKPOINTS
from nnunetv2_adamss.trained_folds.trained_fold import TrainedFold


@contextmanager
def opened_model(model: Path) -> Iterator[Path]:
    """Yield the folder of a survival model, which exists as long as the context.

    Args:
        model: nnU-Net's ``TRAINER__PLANS__CONFIGURATION``, or a zip by ``adamss_export_model``.

    Raises:
        ValueError: if it is neither, or the zip does not hold one survival model.
    """
    check_model_path(model)
    if model.is_dir():
        yield model
        return
    with TemporaryDirectory() as results:
        with zipfile.ZipFile(model) as archive:
            archive.extractall(results)
        folders = [folder for folder in sorted(Path(results).glob("*/*")) if _is_survival_model(folder)]
        if len(folders) != 1:
            raise ValueError(f"{model} holds {len(folders)} survival models, expected one.")
        yield folders[0]


def choose_checkpoints(
    folder: Path, folds: Sequence[int | str] | None, checkpoint_name: str | None
) -> tuple[list[int | str], str]:
    """Choose the folds and the checkpoint to predict with.

    Args:
        folder: nnU-Net's ``TRAINER__PLANS__CONFIGURATION``.
        folds: numbers, or ``all``; None for every numbered fold that is not in training, or else ``all``.
        checkpoint_name: of every fold; None for the best epoch, or the last one of fold ``all``.
    """
    chosen = list(folds) if folds is not None else _numbered_folds(folder) or ["all"]
    return chosen, checkpoint_name or CHECKPOINTS["last" if chosen == ["all"] else "best"]


def _numbered_folds(folder: Path) -> list[int | str]:
    folds = (fold for fold in _folds(folder) if not _is_in_training(fold))
    return sorted(fold.number for fold in folds if isinstance(fold.number, int))


def _is_in_training(fold: TrainedFold) -> bool:
    return fold.latest_checkpoint is None or fold.latest_checkpoint.name == CHECKPOINT_FILES[1]


def _is_survival_model(folder: Path) -> bool:
    begun = (fold.begun_with() for fold in _folds(folder))
    return any(start is not None and "survival" in start for start in begun)


def _folds(folder: Path) -> list[TrainedFold]:
    return [TrainedFold(path) for path in folder.glob("fold_*")]
