"""The log of a conversion, as what comes after it reads it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nnunetv2_adamss.datasets.conversion.one_case import CaseSettings

LOG_FILE = "conversion_log.json"


def read_log(file: Path) -> dict[str, Any]:
    """Its content.

    Raises:
        ValueError: if it is not there, or not such a log.
    """
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{file} cannot be read as the log of adamss_convert_dataset ({error}).") from error
    if "settings" not in content:
        raise ValueError(f"{file} has no settings, so it is no log of adamss_convert_dataset.")
    return content


def settings_of(log: Mapping[str, Any]) -> CaseSettings:
    """How the patients were converted, to convert others alike."""
    settings = dict(log["settings"])
    return CaseSettings(**settings | {"spacing_xyz_mm": tuple(settings["spacing_xyz_mm"])})
