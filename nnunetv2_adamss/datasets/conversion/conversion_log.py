"""The log of a conversion, as what comes after it reads it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nnunetv2_adamss.datasets.conversion.one_case import CaseSettings


def settings_in(log: Path) -> CaseSettings:
    """How the patients were converted, to convert others alike.

    Raises:
        ValueError: if the file is not there, no such log, or of another version with other settings.
    """
    settings = _part(log, "settings")
    try:
        return CaseSettings(**settings | {"spacing_xyz_mm": tuple(settings["spacing_xyz_mm"])})
    except (KeyError, TypeError) as error:
        raise ValueError(f"{log} has other settings than this version ({error}).") from error


def cases_in(log: Path) -> Mapping[str, Mapping[str, Any]]:
    """What became of each patient, by ``case_id``.

    Raises:
        ValueError: if the file is not there, or says nothing of the patients.
    """
    return _part(log, "cases")


def _part(log: Path, key: str) -> dict[str, Any]:
    try:
        content = json.loads(log.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{log} cannot be read as the log of adamss_convert_dataset ({error}).") from error
    part = content.get(key) if isinstance(content, dict) else None
    if not isinstance(part, dict):
        raise ValueError(f"{log} has no '{key}', so it is no log of adamss_convert_dataset, or was cut down.")
    return part
