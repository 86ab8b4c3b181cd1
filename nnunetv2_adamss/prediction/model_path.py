"""Checks of a survival model's path, and of the zip to export it to; without PyTorch, for early checks."""

import zipfile
from pathlib import Path


def check_model_path(model: Path) -> None:
    """Raise ValueError unless this is a folder or a zip."""
    if not model.is_dir() and not zipfile.is_zipfile(model):
        raise ValueError(
            f"There is no model {model}: expected nnU-Net's folder TRAINER__PLANS__CONFIGURATION of a survival "
            "training, or a zip by adamss_export_model."
        )


def check_zip_path(file: Path) -> None:
    """Raise ValueError unless the file that a model is exported to ends in .zip."""
    if file.suffix != ".zip":
        raise ValueError(f"A model is exported as .zip, not {file.name}.")
