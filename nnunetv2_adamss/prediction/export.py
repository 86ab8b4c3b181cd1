"""Export a whole survival model, with both stages, as one zip for another machine."""

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from nnunetv2_adamss.common.files import replace_atomically
from nnunetv2_adamss.prediction.calibration_files import CALIBRATION_FILE
from nnunetv2_adamss.prediction.model_path import check_zip_path
from nnunetv2_adamss.prediction.survival_model import SurvivalModel
from nnunetv2_adamss.tn_stages.stage_model import TN_STAGES_FILE

# Files in each model folder that nnU-Net writes and its predictor reads.
_MODEL_FILES = ("plans.json", "dataset.json", "dataset_fingerprint.json")


def export_model(
    model: SurvivalModel, zip_file: Path, on_file: Callable[[str], object] = lambda name: None
) -> list[str]:
    """Write all files that are needed to predict new patients.

    The zip is laid out as nnU-Net's, so ``nnUNetv2_install_pretrained_model_from_zip`` installs it.

    Args:
        model: checked while it was loaded.
        zip_file: to write, completely or not at all.
        on_file: called with each file before it is packed.

    Returns:
        The files' names in the zip.

    Raises:
        ValueError: if the file does not end in .zip.
    """
    check_zip_path(zip_file)
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
    if (model.folder / TN_STAGES_FILE).is_file():
        yield model.folder / TN_STAGES_FILE
    for fold in model.folds:
        yield fold.file
        yield fold.stage_one_checkpoint
