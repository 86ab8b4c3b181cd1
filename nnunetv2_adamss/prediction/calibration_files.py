"""Files of calibrations: one of a file of predictions, or those of a model by checkpoint, in its folder."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from nnunetv2_adamss.common.files import read_json, write_json
from nnunetv2_adamss.common.json_object import FAULTS
from nnunetv2_adamss.prediction.calibration import Calibration

_Parsed = TypeVar("_Parsed")

CALIBRATION_FILE = "survival_calibration.json"


def write_calibration(file: Path, calibration: Calibration) -> None:
    """Write one calibration as JSON."""
    write_json(file, calibration.to_dict())


def read_calibration(file: Path) -> Calibration:
    """Read a calibration by :func:`write_calibration`.

    Raises:
        ValueError: if it cannot be read or holds something else.
    """
    return _parsed(file, Calibration.from_dict)


def write_model_calibrations(model_folder: Path, calibrations: Mapping[str, Calibration]) -> None:
    """Write the calibrations of a model, by checkpoint name, into its folder."""
    content = {name: calibration.to_dict() for name, calibration in calibrations.items()}
    write_json(model_folder / CALIBRATION_FILE, content)


def read_model_calibrations(model_folder: Path) -> dict[str, Calibration]:
    """Read the calibrations of a model, by checkpoint name; empty if it was not calibrated.

    Raises:
        ValueError: if the file cannot be read or holds something else.
    """
    file = model_folder / CALIBRATION_FILE
    if not file.is_file():
        return {}
    return _parsed(
        file, lambda content: {name: Calibration.from_dict(values) for name, values in content.items()}
    )


def _parsed(file: Path, parse: Callable[[Any], _Parsed]) -> _Parsed:
    try:
        return parse(read_json(file))
    except (OSError, *FAULTS) as error:
        raise ValueError(f"{file} does not hold what adamss_calibrate writes: {error}") from error
