"""A whole survival model in one zip: both stages, for another machine that has nothing else."""

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from nnunetv2_adamss.common.files import replace_atomically
from nnunetv2_adamss.prediction.calibration import CALIBRATION_FILE
from nnunetv2_adamss.prediction.survival_model import SurvivalModel

# Of each model folder: what nnU-Net writes there and its predictor reads.
_MODEL_FILES = ("plans.json", "dataset.json", "dataset_fingerprint.json")


def export_model(
    model: SurvivalModel, zip_file: Path, on_file: Callable[[str], object] = lambda name: None
) -> list[str]:
    """Write everything that predicting new patients needs.

    The zip is laid out as nnU-Net's, so ``nnUNetv2_install_pretrained_model_from_zip`` installs it.

    Args:
        model: checked while it was loaded.
        zip_file: to write, whole or not at all.
        on_file: called with each file before it is packed.

    Returns:
        The files' names in the zip.

    Raises:
        ValueError: if the file does not end in .zip.
    """
    if zip_file.suffix != ".zip":
        raise ValueError(f"A model is exported as .zip, not {zip_file.name}.")
    results = model.folder.parents[1]
    names = []

    def pack(unfinished: Path) -> None:
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in _files(model):
                names.append(file.relative_to(results).as_posix())
                on_file(names[-1])
                archive.write(file, names[-1])

    replace_atomically(zip_file, pack)
    return names


def _files(model: SurvivalModel) -> Iterator[Path]:
    stage_one_folder = model.first.stage_one_checkpoint.parents[1]
    for folder in (model.folder, stage_one_folder):
        yield from (folder / name for name in _MODEL_FILES if (folder / name).is_file())
    if model.calibration is not None:
        yield model.folder / CALIBRATION_FILE
    for fold in model.folds:
        yield fold.file
        yield fold.stage_one_checkpoint
